/**
 * Seeded random numbers for simulated targets, so that a benchmark gives the same table on every machine: a 32-bit
 * generator (mulberry32) and the few distributions that the targets are made of.
 */

export class Random {
  #state: number;
  #spare: number | null = null;

  constructor(seed: string) {
    // FNV-1a: near seeds must not give near sequences.
    let hash = 2_166_136_261;
    for (const character of seed) hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619);
    this.#state = hash;
    for (let i = 0; i < 4; i++) this.uniform();
  }

  /** In [0, 1). */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(from: number, to: number): number {
    return from + (to - from) * this.uniform();
  }

  /** Uniform on a log axis. */
  logBetween(from: number, to: number): number {
    return Math.exp(this.between(Math.log(from), Math.log(to)));
  }

  /** Box and Muller. */
  normal(): number {
    const spare = this.#spare;
    this.#spare = null;
    if (spare !== null) return spare;
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Failures of `n` with probability `p` each, counted no further than `enough`: geometric gaps between them. */
  binomial(n: number, p: number, enough = Number.POSITIVE_INFINITY): number {
    if (p <= 0) return 0;
    if (p >= 1) return n;
    if (p > 0.5 && enough === Number.POSITIVE_INFINITY) return n - this.binomial(n, 1 - p);
    const log = Math.log1p(-p);
    let failures = 0;
    for (let at = this.#gap(log); at < n && failures < enough; at += 1 + this.#gap(log)) failures++;
    return failures;
  }

  #gap(log: number): number {
    return Math.floor(Math.log(1 - this.uniform()) / log);
  }

  /** Of two gamma variables; their logs, because a small shape underflows. */
  beta(a: number, b: number): number {
    const x = this.#logGamma(a);
    const y = this.#logGamma(b);
    return 1 / (1 + Math.exp(y - x));
  }

  /** Marsaglia and Tsang (2000), the shape below 1 through the one above. */
  #logGamma(shape: number): number {
    if (shape < 1) return this.#logGamma(shape + 1) + Math.log(1 - this.uniform()) / shape;
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v <= 0) continue;
      if (Math.log(1 - this.uniform()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return Math.log(d * v);
    }
  }
}
