/**
 * The texts of a target that may contain templates, each with its path; from a plan or from an incomplete profile.
 */

import { compileTemplate, type Template } from '../template.js';
import type { Path } from './problems.js';

export interface Texts {
  readonly url?: string | undefined;
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly origin?: string | null | undefined;
  readonly subprotocols?: readonly string[] | undefined;
}

interface TemplatedPlace {
  readonly kind: 'url' | 'value' | 'token';
  readonly path: Path;
  readonly template: Template;
}

/** In the order url, headers, origin, subprotocols. */
export function templatesOf(target: Texts | undefined): TemplatedPlace[] {
  if (target === undefined) return [];
  const place = (kind: TemplatedPlace['kind'], path: Path, text: string): TemplatedPlace => ({
    kind,
    path: ['target', ...path],
    template: compileTemplate(text),
  });
  return [
    ...(target.url === undefined ? [] : [place('url', ['url'], target.url)]),
    ...(target.headers ?? []).map(([name, text]) => place('value', ['headers', name], text)),
    ...(typeof target.origin === 'string' ? [place('value', ['origin'], target.origin)] : []),
    ...(target.subprotocols ?? []).map((text, i) => place('token', ['subprotocols', i], text)),
  ];
}
