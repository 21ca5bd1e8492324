/** Where the process stands; probes, routes and the monitor read it, `serve` and the shutdown move it. */
export class Lifecycle {
  private phase: 'starting' | 'ready' | 'draining' = 'starting';

  get ready(): boolean {
    return this.phase === 'ready';
  }
  get draining(): boolean {
    return this.phase === 'draining';
  }
  started(): void {
    if (this.phase === 'starting') this.phase = 'ready';
  }
  drain(): void {
    this.phase = 'draining';
  }
}
