/**
 * Results that were saved: from a JSON document, or from a page (`.html`) that carries them. Does not open files.
 */
import { gunzipSync } from 'node:zlib';
import { UserError } from '../../errors.js';
import { readResult } from '../../result/document.js';
import type { Result } from '../../result/result.js';

/** A page of somebody else must not fill the memory. */
const MOST_BYTES = 512 * 1024 * 1024;
const EMBEDDED = /<script type="application\/json" id="wstampede-result(?:-\d+)?">(.*?)<\/script>/gs;

/**
 * At least one; older versions are upgraded.
 * @throws UserError `result` when the text holds none, or one that a newer version wrote
 */
export function savedResults(text: string): Result[] {
  const documents = text.trimStart().startsWith('<') ? [...text.matchAll(EMBEDDED)].map(([, json]) => json) : [text];
  if (documents.length === 0) throw notAResult('the page carries none');
  return documents.map((document) => readResult(unpacked(parsed(document))));
}

function parsed(document: string): unknown {
  try {
    return JSON.parse(document);
  } catch {
    throw notAResult('it is no JSON document');
  }
}

/** Large results are compressed: `{"gzip": "BASE64"}`. */
function unpacked(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('gzip' in value) || typeof value.gzip !== 'string') return value;
  let text: string;
  try {
    text = gunzipSync(Buffer.from(value.gzip, 'base64'), { maxOutputLength: MOST_BYTES }).toString('utf8');
  } catch {
    throw notAResult('what the page carries cannot be decompressed');
  }
  return parsed(text);
}

function notAResult(why: string): UserError {
  return new UserError(`not a wstampede result: ${why}`, {
    code: 'result',
    hint: 'a result is what -o FILE.json, -o FILE.html or --json wrote',
  });
}
