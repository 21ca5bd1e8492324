import type { AlarmInputs, AlarmRule } from './rules.ts';

/** quiet → pending (over the threshold, not long enough) → firing → quiet; acknowledged and muted are notes on it. */
export type AlarmState = 'quiet' | 'pending' | 'firing';

/** Something that a person should hear of, once. */
export interface AlarmChange {
  ruleId: string;
  title: string;
  kind: 'fired' | 'ended';
  atMs: number;
  /** With its unit. */
  value: string;
}

/** One rule on one service: remembers since when it holds, and whether a person has seen it. */
export class Alarm {
  state: AlarmState = 'quiet';
  sinceMs = 0;
  value = Number.NaN;
  isAcknowledged = false;
  mutedUntilMs = 0;

  constructor(public rule: AlarmRule) {}

  isMuted(nowMs: number): boolean {
    return nowMs < this.mutedUntilMs;
  }

  /** Wants a person's eye: fires, and is neither acknowledged nor muted. */
  isLoud(nowMs: number): boolean {
    return this.state === 'firing' && !this.isAcknowledged && !this.isMuted(nowMs);
  }

  /** Looks at a new value. @returns the change that this made, if any */
  look(inputs: AlarmInputs, nowMs: number): AlarmChange | undefined {
    const { rule } = this;
    const value = inputs[rule.input];
    this.value = value;
    if (!rule.isOn) {
      this.state = 'quiet';
      return undefined;
    }
    const isOver = rule.when === 'above' ? value > rule.threshold : value < rule.threshold;
    const isClear = rule.when === 'above' ? !(value > rule.clear) : !(value < rule.clear);
    if (this.state === 'firing') {
      if (!isClear) return undefined;
      this.state = 'quiet';
      this.sinceMs = nowMs;
      this.isAcknowledged = false;
      return this.change('ended', nowMs);
    }
    if (!isOver) {
      this.state = 'quiet';
      return undefined;
    }
    if (this.state === 'quiet') {
      this.state = 'pending';
      this.sinceMs = nowMs;
    }
    if (nowMs - this.sinceMs < rule.forMs) return undefined;
    this.state = 'firing';
    return this.change('fired', nowMs);
  }

  private change(kind: AlarmChange['kind'], atMs: number): AlarmChange {
    return {
      ruleId: this.rule.id,
      title: this.rule.title,
      kind,
      atMs,
      value: valueWords(this.rule, this.value),
    };
  }
}

/** A value of the rule's input with its unit. */
export const valueWords = ({ scale, unit }: AlarmRule, value: number): string =>
  Number.isFinite(value) ? `${Number((value * scale).toPrecision(3))} ${unit}` : `unknown ${unit}`;
