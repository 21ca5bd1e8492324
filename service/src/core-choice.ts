/** Beside host.ts and light to load, so that a self-test can run while the stack is loaded. */
export { type ChosenCore, chooseCore } from './emulator/engine/choose-core.ts';
