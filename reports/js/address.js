// Variables of a report as the query of an address.

/** Returns the values as a query, in a fixed order: the same report has the same address. */
export const queryOf = (values) => new URLSearchParams(Object.entries(values).sort());
