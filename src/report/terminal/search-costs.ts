/**
 * The costs of a search as a table with a note: expected and worst case. words/search-cost.ts computes them.
 */
import { costNote, costRows, type PlannedSearch } from '../words/search-cost.js';
import { wrap } from './text-width.js';

const INDENT = 2;
const LABEL = 16;
/** Wide enough for the counts of any search. */
const COLUMN = 13;

/** Lines of at most `width` columns. */
export function searchCosts(search: PlannedSearch, width: number): string[] {
  const column = Math.min(COLUMN, Math.floor((width - INDENT - LABEL) / 2));
  const table = costRows(search).map(([label, ...cells]) => {
    const padded = cells.map((cell) => cell.padStart(column)).join('');
    return `${' '.repeat(INDENT)}${label.padEnd(LABEL)}${padded}`;
  });
  return [...table, ...wrap(costNote(search), width - INDENT).map((line) => ' '.repeat(INDENT) + line)];
}
