// Pull to refresh: a touch that pulls the top of the page down far enough.

// In CSS pixels: where a pull takes effect, and where the indicator stops.
const THRESHOLD = 72;
const MAX_DISTANCE = 110;
// The indicator moves slower than the finger.
const RESISTANCE = 0.55;

/** Calls `onRefresh()` after each pull; an indicator follows the finger. */
export function pullToRefresh(onRefresh) {
  const indicator = document.createElement("div");
  indicator.className = "pull";
  indicator.setAttribute("aria-hidden", "true");
  document.body.prepend(indicator);
  let start = null;
  let distance = 0;

  addEventListener(
    "touchstart",
    (event) => {
      start = scrollY <= 0 && event.touches.length === 1 ? event.touches[0] : null;
      distance = 0;
    },
    { passive: true },
  );

  addEventListener(
    "touchmove",
    (event) => {
      if (!start) return;
      const { clientX, clientY } = event.touches[0];
      const down = clientY - start.clientY;
      // A movement upwards is not a pull; one that is mostly sideways may still become one.
      if (down < Math.abs(clientX - start.clientX) || scrollY > 0) down <= 0 && (start = null);
      distance = start ? Math.max(0, Math.min(MAX_DISTANCE, down * RESISTANCE)) : 0;
      update();
    },
    { passive: true },
  );

  for (const type of ["touchend", "touchcancel"]) {
    addEventListener(
      type,
      () => {
        const pulled = distance >= THRESHOLD && type === "touchend";
        start = null;
        distance = 0;
        update();
        if (pulled) onRefresh();
      },
      { passive: true },
    );
  }

  function update() {
    indicator.style.setProperty("--pulled", `${distance}px`);
    indicator.classList.toggle("far", distance >= THRESHOLD);
    indicator.classList.toggle("pulling", distance > 0);
  }
}
