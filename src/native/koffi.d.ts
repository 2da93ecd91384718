/**
 * The part of koffi 3 that is used. Declared here instead of imported from the package, which is optional: the product
 * builds and runs without it.
 */
declare module 'koffi' {
  interface Koffi {
    /** null: the process itself, with the libraries it is linked to. */
    load(path: null): { func(declaration: string): (...args: readonly (number | string)[]) => number };
    /** Address of a typed array's first byte. */
    address(value: Uint8Array): bigint;
    /** errno of this thread's last call. */
    errno(): number;
    config(settings: { sync_stack_size: number; sync_heap_size: number }): void;
  }
  const koffi: Koffi;
  export default koffi;
}
