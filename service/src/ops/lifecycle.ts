/** Where the process stands; probes, routes and the monitor read it, `serve` and the shutdown move it. */
export class Lifecycle {
  private phase: 'starting' | 'ready' | 'leaving' | 'draining' = 'starting';

  get ready(): boolean {
    return this.phase === 'ready';
  }
  /** No new work is taken. */
  get draining(): boolean {
    return this.phase === 'draining';
  }
  /** Stopping, whether or not new work is still taken. */
  get stopping(): boolean {
    return this.phase === 'leaving' || this.phase === 'draining';
  }
  started(): void {
    if (this.phase === 'starting') this.phase = 'ready';
  }
  /** Not ready any more, so that proxies look elsewhere; what still comes is served. */
  leave(): void {
    if (this.phase !== 'draining') this.phase = 'leaving';
  }
  drain(): void {
    this.phase = 'draining';
  }
}
