/** Timestamps as a result writes them. */

/**
 * ISO 8601 in UTC with µs, `2026-11-21T08:00:00.123456Z`, from ms since the Unix epoch.
 * @throws RangeError when the number is not a valid time
 */
export function isoMicros(epochMs: number): string {
  const us = Math.round(epochMs * 1000);
  const wholeMs = Math.floor(us / 1000);
  const micros = String(us - wholeMs * 1000).padStart(3, '0');
  return new Date(wholeMs).toISOString().replace('Z', `${micros}Z`);
}
