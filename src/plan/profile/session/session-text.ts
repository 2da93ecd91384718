/** A shipped session as the YAML that `--session FILE` takes back, with what it needs beside it as comments. */
import { Document, isCollection, isSeq } from 'yaml';
import type { SessionVariables, ShippedSession } from '../../session/shipped.js';

/** `given`: the variables whose lines are wanted too. */
export function sessionText(shipped: ShippedSession, given: SessionVariables = {}): string {
  const document = new Document(shipped.lines(given));
  if (isSeq(document.contents)) {
    for (const line of document.contents.items) if (isCollection(line)) line.flow = true;
  }
  document.commentBefore = comments(shipped, given)
    .map((line) => ` ${line}`)
    .join('\n');
  return document.toString({
    lineWidth: 0,
    flowCollectionPadding: false,
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
  });
}

function comments(
  { name, about, subprotocol, path, query, variables }: ShippedSession,
  given: SessionVariables,
): string[] {
  const added = `${path ?? ''}${query(given) === null ? '' : `?${query(given)}`}`;
  const example = added.replace(/\{\{ var\.(\w+) \}\}/g, (_, variable: string) => variable.toUpperCase());
  const needed = [
    ...(subprotocol === null ? [] : [`--subprotocol ${subprotocol}`]),
    ...(added === '' ? [] : [`the URL ws://HOST${path === null ? '/PATH' : ''}${example}`]),
  ];
  return [
    `${name}: ${about}.`,
    ...(needed.length === 0
      ? []
      : [`As a file it needs what --session ${name} adds by itself: ${needed.join(' and ')}`]),
    ...Object.entries(variables).map(([variable, { about: what }]) => `--session-var ${variable}=…: ${what}`),
  ];
}
