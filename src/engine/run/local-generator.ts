/** This machine, as the `generators` entry of a result. */
import os from 'node:os';
import type { Host } from '../../host.js';
import { type Machine, portsPerSource } from '../../plan/machine-facts.js';
import type { Generator } from '../../result/result.js';
import type { Choice } from './choose-transport.js';

export function localGenerator(
  host: Host,
  machine: Machine,
  transport: Choice,
  workers: number,
  sources: number,
): Generator {
  return {
    id: 'local',
    host: os.hostname(),
    cpus: machine.cpus,
    node: host.nodeVersion,
    platform: host.platform,
    transport: transport.name,
    transportNote: transport.note,
    workers,
    limits: { fds: machine.fds, ports: portsPerSource(machine) * Math.max(1, sources) },
  };
}
