import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testClock } from '../test-clock.ts';
import {
  DROP_AFTER_MS,
  LOST_AFTER_MS,
  MonitorConnection,
  OPEN_TIMEOUT_MS,
  SILENT_AFTER_MS,
  type SocketEvents,
} from './connection.ts';

const FAULT = JSON.stringify({ type: 'fault', fault: { seq: 1 } });

function connectionUnderTest() {
  const time = testClock();
  const sockets: (SocketEvents & { isClosed: boolean })[] = [];
  const states: string[] = [];
  const messages: string[] = [];
  const asked: string[] = [];
  const connection = new MonitorConnection('ws://test/v1/monitor', {
    clock: time.clock,
    openSocket: (_url, _protocols, events) => {
      const socket = { ...events, isClosed: false };
      sockets.push(socket);
      return {
        send: (text: string) => void asked.push(text),
        close: () => {
          socket.isClosed = true;
        },
      };
    },
    onMessage: (message) => messages.push(message.type),
    onState: ({ kind }) => states.push(kind),
  });
  connection.connectNow();
  return { connection, states, messages, asked, sockets, newest: () => sockets.at(-1)!, ...time };
}

describe('MonitorConnection', () => {
  it('asks the feed only while it is live', () => {
    const { connection, newest, asked } = connectionUnderTest();
    connection.ask({ type: 'faults', sinceSeq: 3 });
    assert.deepEqual(asked, []);
    newest().onData(FAULT);
    connection.ask({ type: 'faults', sinceSeq: 3 });
    assert.deepEqual(asked, ['{"type":"faults","sinceSeq":3}']);
  });
  it('is live with the first message, not with the open socket', () => {
    const { connection, newest, messages } = connectionUnderTest();
    assert.equal(connection.state.kind, 'connecting');
    newest().onData(FAULT);
    assert.equal(connection.state.kind, 'live');
    assert.deepEqual(messages, ['fault']);
  });

  it('waits and connects again after the socket closes, and names the reason', () => {
    const { connection, newest, sockets, advance } = connectionUnderTest();
    newest().onData(FAULT);
    newest().onClose(1006, '');
    assert.deepEqual(connection.state, {
      kind: 'reconnecting',
      retryAtMs: 1_000_750,
      reason: 'the connection ended without a close frame',
    });
    advance(749);
    assert.equal(sockets.length, 1);
    advance(1);
    assert.equal(sockets.length, 2);
    newest().onData(FAULT);
    assert.equal(connection.state.kind, 'live');
  });

  it('keeps the reason of the loss while tries meet nobody', () => {
    const { connection, newest, advance } = connectionUnderTest();
    newest().onData(FAULT);
    newest().onClose(1012, '');
    advance(750);
    newest().onClose(1006, '');
    assert.equal('reason' in connection.state && connection.state.reason, 'the service is restarting');
  });

  it('says that a service which was never there does not answer', () => {
    const { connection, newest } = connectionUnderTest();
    newest().onClose(1006, '');
    assert.equal('reason' in connection.state && connection.state.reason, 'the service does not answer');
  });

  it('says that data stopped although the socket is open, then drops the socket', () => {
    const { connection, newest, advance } = connectionUnderTest();
    newest().onData(FAULT);
    advance(SILENT_AFTER_MS);
    assert.equal(connection.state.kind, 'silent');
    assert.equal(newest().isClosed, false);
    advance(DROP_AFTER_MS - SILENT_AFTER_MS);
    assert.equal(newest().isClosed, true);
    assert.equal(connection.state.kind, 'reconnecting');
  });

  it('gives up on a socket that does not open', () => {
    const { connection, newest, advance } = connectionUnderTest();
    advance(OPEN_TIMEOUT_MS);
    assert.equal(newest().isClosed, true);
    assert.equal(connection.state.kind, 'reconnecting');
  });

  it('calls the service lost after half a minute and still tries', () => {
    const { connection, newest, sockets, advance, clock } = connectionUnderTest();
    newest().onData(FAULT);
    while (connection.state.kind !== 'lost') {
      newest().onClose(1006, '');
      const before = sockets.length;
      while (sockets.length === before) advance(100);
      assert.ok(sockets.length < 20);
    }
    assert.ok(clock.nowMs() - connection.lastDataAtMs! >= LOST_AFTER_MS);
    newest().onData(FAULT);
    assert.equal(connection.state.kind, 'live');
  });

  it('keeps its long waits until the feed was healthy for a while', () => {
    const { connection, newest, advance } = connectionUnderTest();
    const waitAfterClose = () => {
      newest().onClose(1006, '');
      return connection.state.kind === 'reconnecting' ? connection.state.retryAtMs : 0;
    };
    const before = waitAfterClose();
    advance(60_000);
    newest().onData(FAULT);
    const flapping = waitAfterClose() - 1_060_000;
    assert.ok(flapping > before - 1_000_000);
  });

  it('counts frames that are no messages and stays as it is', () => {
    const { connection, newest, messages } = connectionUnderTest();
    newest().onData('garbage');
    newest().onData(new Uint8Array(3));
    assert.equal(connection.rejectedFrames, 2);
    assert.deepEqual(messages, []);
    assert.equal(connection.state.kind, 'connecting');
  });

  it('leaves no timer and no socket behind', () => {
    const { connection, newest, pending } = connectionUnderTest();
    newest().onData(FAULT);
    connection.dispose();
    assert.equal(newest().isClosed, true);
    assert.equal(pending(), 0);
  });
});
