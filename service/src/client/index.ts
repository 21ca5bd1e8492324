/** `warpdrive/client`: compression and decompression at a service, from Node and browsers. No `node:` import. */
export { WarpDriveError } from '../../../shared/src/problem.ts';
export { openStream, type ServiceStream, type StreamOptions, type StreamSummary } from './open-stream.ts';
