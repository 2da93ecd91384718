/**
 * What a source names, read by a parser from its syntax tree: the modules it imports in any way, and whether it touches
 * the global `process`. Knows no rule about either.
 */
import { type Expression, parseSync, type Span, Visitor } from 'oxc-parser';

export interface SourceFacts {
  /** As written: static, dynamic, for types only, re-exported or required. */
  readonly modules: readonly string[];
  /** An import or require whose module is no plain text. */
  readonly isUnclear: boolean;
  readonly touchesProcess: boolean;
  /** Classes, interfaces and types that it declares. */
  readonly typeNames: readonly string[];
  readonly syntaxErrors: readonly string[];
}

const GLOBAL_OBJECTS = ['globalThis', 'global'];

export function factsOf(path: string, source: string): SourceFacts {
  const modules: string[] = [];
  const typeNames: string[] = [];
  /** Identifiers that only name a property: `host.process`, `{ process: 1 }`. */
  const propertyNames = new Set<Span>();
  let isUnclear = false;
  let touchesProcess = false;
  const named = (module: Span | null | undefined): void => {
    const text = textOf(module);
    if (text === null) isUnclear = true;
    else modules.push(text);
  };
  const property = ({ key, computed }: { readonly key: Span; readonly computed?: boolean }): void => {
    if (computed !== true) propertyNames.add(key);
  };
  const declared = ({ id }: { readonly id: { readonly name: string } | null }): void => {
    if (id !== null) typeNames.push(id.name);
  };
  const { program, errors } = parseSync(path, source);
  new Visitor({
    ImportDeclaration: (node) => named(node.source),
    ExportAllDeclaration: (node) => named(node.source),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) named(node.source);
    },
    ImportExpression: (node) => named(node.source),
    TSImportType: (node) => named(node.source),
    TSExternalModuleReference: (node) => named(node.expression),
    CallExpression: ({ callee, arguments: given }) => {
      if (isNamed(callee, ['require'])) named(given[0]);
    },
    MemberExpression: ({ object, property: member, computed }) => {
      if (!computed) propertyNames.add(member);
      const name = computed ? textOf(member) : 'name' in member ? member.name : null;
      if (name === 'process' && isNamed(object, GLOBAL_OBJECTS)) touchesProcess = true;
    },
    Property: property,
    MethodDefinition: property,
    PropertyDefinition: property,
    TSPropertySignature: property,
    TSMethodSignature: property,
    ClassDeclaration: declared,
    TSInterfaceDeclaration: declared,
    TSTypeAliasDeclaration: declared,
    Identifier: (node) => {
      if (node.name === 'process' && !propertyNames.has(node)) touchesProcess = true;
    },
  }).visit(program);
  return { modules, isUnclear, touchesProcess, typeNames, syntaxErrors: errors.map(({ message }) => message) };
}

/** The text of a string that is written out; null for anything else. */
function textOf(node: Span | null | undefined): string | null {
  const { type, value } = (node ?? {}) as { readonly type?: string; readonly value?: unknown };
  return type === 'Literal' && typeof value === 'string' ? value : null;
}

function isNamed(node: Expression, names: readonly string[]): boolean {
  return node.type === 'Identifier' && names.includes(node.name);
}
