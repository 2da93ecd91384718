/**
 * All answers of the matrix, in the order of its table.
 */
import type { Answer } from './answer.js';
import { ENDINGS } from './endings.js';
import { AGREEMENTS } from './extensions.js';
import { FIELDS } from './fields.js';
import { STATUS_LINES } from './status-lines.js';
import { UPGRADES } from './upgrades.js';

export const CHAPTERS: Readonly<Record<string, readonly Answer[]>> = {
  'The status line, and what comes before it': STATUS_LINES,
  'The syntax of fields': FIELDS,
  'Upgrade, Connection, Accept': UPGRADES,
  'Subprotocols and extensions': AGREEMENTS,
  'Endings: FIN, RST, silence, TLS': ENDINGS,
};

export const ANSWERS: readonly Answer[] = Object.values(CHAPTERS).flat();
