/**
 * The posterior of the drop-off (docs/method.md, "The posterior"): a grid over the load at which half of the bursts are
 * bad, over how gradual the change is, and over two lapse rates, so that outlier bursts do not distort it. Only good
 * and bad bursts are evidence; the handshakes inside a burst are not independent and would suggest too much certainty.
 * Does not know the brackets of the search.
 */

/** Grid and priors. */
const STEP = 0.01;
const BELOW_MIN = 0.7;
const ABOVE_MAX = 1.5;
const SLOPES = [0.006, 0.012, 0.025, 0.05, 0.1, 0.2, 0.35];
const SLOPE_PRIOR = [1, 1, 1, 1, 1, 0.7, 0.4];
const FALSE_BADS = [0.01, 0.05, 0.12];
const FALSE_BAD_PRIOR = [0.6, 0.3, 0.1];
const FALSE_GOODS = [0.01, 0.06];
const FALSE_GOOD_PRIOR = [0.7, 0.3];
/** Scales the slope of the logistic curve to that of a normal one. */
const LOGISTIC = 1.7;

export interface LoadEvidence {
  readonly size: number;
  readonly good: number;
  readonly bad: number;
}

export class Posterior {
  /** Mass at each grid point of ln(drop-off); the sum is 1. */
  readonly #mass: Float64Array;
  readonly #from: number;
  /** Log of how well the evidence fits, priors included, up to a constant that depends on the grid. */
  readonly logEvidence: number;

  /** `quantile`: the share of bursts that must be good at the drop-off. */
  constructor(evidence: readonly LoadEvidence[], min: number, max: number, quantile = 0.5) {
    this.#from = Math.log(BELOW_MIN * min);
    const points = Math.ceil((Math.log(ABOVE_MAX * max) - this.#from) / STEP - 1e-9);
    this.#mass = new Float64Array(points);
    let sum = 0;
    const slopes = SLOPES.map((slope, i) => ({ slope, cells: this.#cells(evidence, slope, SLOPE_PRIOR[i], points) }));
    const scale = Math.max(...slopes.map(({ cells }) => cells.logScale));
    for (const { slope, cells } of slopes) {
      const weight = Math.exp(cells.logScale - scale);
      const shift = Math.round((slope * Math.log((1 - quantile) / quantile)) / LOGISTIC / STEP);
      for (let i = 0; i < points; i++) {
        const mass = cells.mass[i] * weight;
        this.#mass[Math.max(0, i + shift)] += mass;
        sum += mass;
      }
    }
    for (let i = 0; i < points; i++) this.#mass[i] /= sum;
    this.logEvidence = scale + Math.log(sum);
  }

  /** The drop-off below which `p` of the mass lies. */
  quantile(p: number): number {
    let below = 0;
    let before = 0;
    for (const [i, mass] of this.#mass.entries()) {
      before = below;
      below += mass;
      if (below < p) continue;
      const part = i === 0 ? 1 : (p - before) / mass;
      return Math.exp(this.#from + STEP * (i - 1 + part) + STEP / 2);
    }
    return Math.exp(this.#from + STEP * this.#mass.length);
  }

  /** The grid: ln of each load, and its mass. */
  points(): { readonly log: number; readonly mass: number }[] {
    return Array.from(this.#mass, (mass, i) => ({ log: this.#from + STEP * i, mass }));
  }

  /** Mass between two loads, ends included; null: open. */
  massWithin(from: number | null, to: number | null): number {
    const low = from === null ? Number.NEGATIVE_INFINITY : Math.log(from);
    const high = to === null ? Number.POSITIVE_INFINITY : Math.log(to);
    let sum = 0;
    for (const [i, mass] of this.#mass.entries()) {
      const at = this.#from + STEP * i;
      if (at >= low && at <= high) sum += mass;
    }
    return Math.min(1, sum);
  }

  /**
   * Likelihood times prior for one slope, summed over the lapses. Scaled after each load, because 0.01 to the power of
   * 250 underflows.
   */
  #cells(evidence: readonly LoadEvidence[], slope: number, prior: number, points: number): Cells {
    const pairs = FALSE_BADS.flatMap((g, i) =>
      FALSE_GOODS.map((d, j) => ({ g, d, p: FALSE_BAD_PRIOR[i] * FALSE_GOOD_PRIOR[j] })),
    );
    const cells = pairs.map(({ p }) => new Float64Array(points).fill(p * prior));
    let logScale = 0;
    for (const { size, good, bad } of evidence) {
      if (good + bad === 0) continue;
      let top = 0;
      for (let i = 0; i < points; i++) {
        const z = (Math.log(size) - this.#from - STEP * i) / slope;
        const curve = 1 / (1 + Math.exp(-Math.max(-40, Math.min(40, LOGISTIC * z))));
        for (const [k, { g, d }] of pairs.entries()) {
          const isBad = g + (1 - g - d) * curve;
          const mass = cells[k][i] * power(isBad, bad) * power(1 - isBad, good);
          cells[k][i] = mass;
          if (mass > top) top = mass;
        }
      }
      for (const cell of cells) for (let i = 0; i < points; i++) cell[i] /= top;
      logScale += Math.log(top);
    }
    const mass = new Float64Array(points);
    for (const cell of cells) for (let i = 0; i < points; i++) mass[i] += cell[i];
    return { mass, logScale };
  }
}

interface Cells {
  readonly mass: Float64Array;
  readonly logScale: number;
}

/** Whole exponents are small here: repeated products cost a tenth of `**`. */
function power(base: number, exponent: number): number {
  let product = 1;
  for (let i = 0; i < exponent; i++) product *= base;
  return product;
}
