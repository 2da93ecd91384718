/**
 * What is used of koffi 3. Declared here and not taken from the package, which is optional: the product builds and runs
 * where it is absent.
 */
declare module 'koffi' {
  interface Koffi {
    /** null: the process itself, with what it is linked to. */
    load(path: null): { func(declaration: string): (...args: readonly (number | string)[]) => number };
    /** Of a typed array's first byte. */
    address(value: Uint8Array): bigint;
    /** Of the last call in this thread. */
    errno(): number;
    config(settings: { sync_stack_size: number; sync_heap_size: number }): void;
  }
  const koffi: Koffi;
  export default koffi;
}
