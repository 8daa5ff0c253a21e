// Pull to refresh, by touch: a pull down at the top of the page, far enough, asks again.

const FAR = 72;
const FARTHEST = 110;

/** Calls `work()` after each such pull; a mark follows the finger meanwhile. */
export function pullToRefresh(work) {
  const mark = document.createElement("div");
  mark.className = "pull";
  mark.setAttribute("aria-hidden", "true");
  document.body.prepend(mark);
  let from = null;
  let pulled = 0;

  addEventListener(
    "touchstart",
    (event) => {
      from = scrollY <= 0 && event.touches.length === 1 ? event.touches[0] : null;
      pulled = 0;
    },
    { passive: true },
  );

  addEventListener(
    "touchmove",
    (event) => {
      if (!from) return;
      const { clientX, clientY } = event.touches[0];
      const down = clientY - from.clientY;
      // Sideways or upwards it is no pull.
      if (down < Math.abs(clientX - from.clientX) || scrollY > 0) down <= 0 && (from = null);
      pulled = from ? Math.max(0, Math.min(FARTHEST, down * 0.55)) : 0;
      show();
    },
    { passive: true },
  );

  for (const end of ["touchend", "touchcancel"]) {
    addEventListener(
      end,
      () => {
        const far = pulled >= FAR && end === "touchend";
        from = null;
        pulled = 0;
        show();
        if (far) work();
      },
      { passive: true },
    );
  }

  function show() {
    mark.style.setProperty("--pulled", `${pulled}px`);
    mark.classList.toggle("far", pulled >= FAR);
    mark.classList.toggle("pulling", pulled > 0);
  }
}
