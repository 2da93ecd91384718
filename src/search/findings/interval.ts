/**
 * The burst-level interval of a share (docs/method.md, "The ladder"). The handshakes of one burst are not independent;
 * an interval that assumes it promises 95 % and covers 12 to 58 %. Here the spread between bursts sets the width
 * (quasi-binomial: an overdispersion factor; Student's t with one degree of freedom fewer than bursts), in Wilson's
 * form, so that shares of 0 and 1 have an interval too. It is printed beside a share and decides nothing.
 */

/** 97.5 % quantile of Student's t; degrees of freedom from 1. */
const STUDENT_975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086,
];

/** Beyond the table: the first terms of the expansion around the normal quantile; accurate to 0.1 %. */
export function student975(degrees: number): number {
  return STUDENT_975[degrees - 1] ?? 1.96 + 2.372 / degrees + 2.82 / degrees ** 2;
}

export interface Counts {
  readonly met: number;
  readonly launched: number;
}

/** 95 % interval of the share that is met; null with fewer than two bursts, because one does not show their spread. */
export function shareInterval(bursts: readonly Counts[]): readonly [number, number] | null {
  const heard = bursts.filter(({ launched }) => launched > 0);
  if (heard.length < 2) return null;
  const launched = heard.reduce((sum, burst) => sum + burst.launched, 0);
  const share = heard.reduce((sum, burst) => sum + burst.met, 0) / launched;
  const t = student975(heard.length - 1);
  const alone = launched / overdispersion(heard, share);
  const centre = (share + t ** 2 / (2 * alone)) / (1 + t ** 2 / alone);
  const half = (t / (1 + t ** 2 / alone)) * Math.sqrt((share * (1 - share)) / alone + t ** 2 / (4 * alone ** 2));
  return [Math.max(0, Math.min(share, centre - half)), Math.min(1, Math.max(share, centre + half))];
}

/**
 * Pearson's chi-square divided by its degrees of freedom; at least 1, because bursts cannot tell more than their
 * handshakes.
 */
function overdispersion(bursts: readonly Counts[], share: number): number {
  const variance = share * (1 - share);
  if (variance === 0) return 1;
  const chi = bursts.reduce((sum, { met, launched }) => sum + (met - launched * share) ** 2 / (launched * variance), 0);
  return Math.max(1, chi / (bursts.length - 1));
}
