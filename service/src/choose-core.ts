/** Beside host.ts, which loads the whole stack, so that the engine core's self-test can run meanwhile. */
export { type ChosenCore, chooseCore } from './emulator/engine/choose-core.ts';
