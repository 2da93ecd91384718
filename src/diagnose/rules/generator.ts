/** Limits of this machine: they are not the target's fault, and are reported first. */
import { NOT_RELEASED } from '../../names/reasons.js';
import { isLocal } from '../evidence.js';
import { counted, detailsOf, type Finding, type Rule } from '../finding.js';

const WHAT: Readonly<Record<string, string>> = {
  'local-fds': 'out of file descriptors (ulimit -n)',
  'local-ports': 'out of local ports (net.ipv4.ip_local_port_range, or TIME_WAIT)',
  'local-memory': 'out of memory for sockets',
  'local-other': 'another failure of this machine',
};

export const generatorRule: Rule = ({ failures }) => {
  const local = failures.filter(({ outcome }) => isLocal(outcome));
  if (local.length === 0) return [];
  const said = local.map(({ outcome, count }) => `${counted(count, outcome)} (${WHAT[outcome] ?? outcome})`);
  const isLate = local.some((failure) => detailsOf(failure).includes(NOT_RELEASED));
  const finding: Finding = {
    cause: 'generator-limit',
    confidence: 0.99,
    evidence: `${said.join(', ')}: these attempts never reached the target.`,
    outcomes: local.map(({ outcome }) => outcome),
    ...(isLate && { lead: 'Give attempts longer (-t), or release fewer at once: some were not started in time.' }),
  };
  return [finding];
};
