import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import type { Clock } from '../platform/clock.ts';
import { Heartbeat } from './heartbeat.ts';

/** Time that is advanced by hand. */
function manualClock() {
  let nowMs = 0;
  const timers = new Set<{ atMs: number; callback: () => void }>();
  const clock: Clock = {
    wallMs: () => nowMs,
    monotonicUs: () => nowMs * 1000,
    after(ms, callback) {
      const timer = { atMs: nowMs + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const advance = (ms: number) => {
    nowMs += ms;
    for (const timer of [...timers]) if (timer.atMs <= nowMs && timers.delete(timer)) timer.callback();
  };
  return { clock, advance, pending: () => timers.size };
}

class FakeSocket extends EventEmitter {
  pings = 0;
  isPaused = false;
  ping(): void {
    this.pings++;
  }
  terminate(): void {
    this.emit('close', 1006);
  }
}

function watched(timeoutMs?: number) {
  const time = manualClock();
  const heartbeat = new Heartbeat(time.clock, timeoutMs);
  const socket = new FakeSocket();
  heartbeat.watch(socket as unknown as WebSocket);
  return { ...time, socket };
}

describe('Heartbeat', () => {
  it('pings every 20 s as long as the last ping was answered', () => {
    const { advance, socket } = watched();
    for (let i = 1; i <= 3; i++) {
      advance(20_000);
      assert.equal(socket.pings, i);
      socket.emit('pong');
    }
  });

  it('terminates a socket that answered none within the timeout, and not before', () => {
    for (const [timeoutMs, steps] of [
      [60_000, 3],
      [3000, 3],
    ] as const) {
      const { advance, socket, pending } = watched(timeoutMs);
      let closed = false;
      socket.on('close', () => {
        closed = true;
      });
      for (let i = 1; i < steps; i++) advance(timeoutMs / steps);
      assert.equal(closed, false);
      advance(timeoutMs / steps);
      assert.equal(closed, true);
      assert.equal(pending(), 0);
    }
  });

  it('blames no socket that is not read here', () => {
    const { advance, socket } = watched();
    socket.isPaused = true;
    for (let i = 1; i <= 5; i++) advance(20_000);
    assert.equal(socket.pings, 5);
  });

  it('runs no timer without sockets', () => {
    const { socket, pending } = watched();
    assert.equal(pending(), 1);
    socket.emit('close', 1000);
    assert.equal(pending(), 0);
  });
});
