/** What the texts of a script need of data and environment. */
import { compileTemplate } from '../template.js';
import { type Script, scriptTexts } from './session-script.js';

/** Columns and variables of the environment that a script's texts and session variables use, each once. */
export function scriptUses(script: Script): {
  readonly rowColumns: readonly string[];
  readonly envNames: readonly string[];
} {
  const templates = [
    ...scriptTexts(script).map((text) => compileTemplate(text, 'session')),
    ...Object.values(script.variables).map((text) => compileTemplate(text)),
  ];
  return {
    rowColumns: [...new Set(templates.flatMap(({ rowColumns }) => rowColumns))],
    envNames: [...new Set(templates.flatMap(({ envNames }) => envNames))],
  };
}
