import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { answerPings, PONG_INTERVAL_MS } from './pongs.ts';

class FakeSocket extends EventEmitter {
  readonly pongs: string[] = [];
  bufferedAmount = 0;
  pong(data: Buffer): void {
    this.pongs.push(data.toString());
  }
  ping(data: string): void {
    this.emit('ping', Buffer.from(data));
  }
}

function answered() {
  const clock = new FakeClock();
  const socket = new FakeSocket();
  answerPings(socket as unknown as WebSocket, clock, 1000);
  return { clock, socket };
}

describe('answerPings', () => {
  it('answers a ping at once that comes a second after the last answer', () => {
    const { clock, socket } = answered();
    for (const data of ['a', 'b', 'c']) {
      socket.ping(data);
      assert.equal(socket.pongs.at(-1), data);
      clock.advance(PONG_INTERVAL_MS);
    }
    assert.equal(socket.pongs.length, 3);
  });

  it('answers of a flood the first, and the newest of each second', () => {
    const { clock, socket } = answered();
    for (let i = 0; i < 25; i++) {
      socket.ping(String(i));
      clock.advance(PONG_INTERVAL_MS / 10);
    }
    assert.deepEqual(socket.pongs, ['0', '9', '19']);
  });

  it('answers none while more than the limit waits to be sent, and goes on when it was read', () => {
    const { clock, socket } = answered();
    socket.bufferedAmount = 1001;
    socket.ping('a');
    clock.advance(PONG_INTERVAL_MS);
    socket.bufferedAmount = 1000;
    socket.ping('b');
    assert.deepEqual(socket.pongs, ['b']);
  });

  it('runs no timer for a client that pings no more, nor for one that is gone', () => {
    const { clock, socket } = answered();
    socket.ping('a');
    clock.advance(PONG_INTERVAL_MS);
    assert.equal(clock.pendingTimers, 0);
    socket.ping('b');
    socket.emit('close');
    assert.equal(clock.pendingTimers, 0);
  });
});
