/** The tables that never change, computed once per instance because the module may not carry data segments. */
import {
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LENGTH_SYMBOL,
  PRECODE_ORDER,
  REPEAT_SHUFFLE,
  REPEAT_STEP,
  scratch,
} from './layout';

/** RFC 1951 section 3.2.5: 28 length symbols in groups of four with one more extra bit each, and 285 for 258. */
function initLengths(): void {
  let length: u32 = 3;
  for (let symbol: u32 = 0; symbol < 29; symbol++) {
    let extra: u32 = symbol < 8 ? 0 : (symbol >> 2) - 1;
    if (symbol === 28) {
      extra = 0;
      length = 258;
    }
    store<u16>(scratch + LENGTH_BASE + symbol * 2, length);
    store<u8>(scratch + LENGTH_EXTRA + symbol, extra);
    for (let i: u32 = 0; i < 1 << extra; i++) store<u8>(scratch + LENGTH_SYMBOL + length - 3 + i, symbol);
    length += 1 << extra;
  }
}

/** RFC 1951 section 3.2.5: 30 distance symbols in groups of two with one more extra bit each. */
function initDistances(): void {
  let distance: u32 = 1;
  for (let symbol: u32 = 0; symbol < 30; symbol++) {
    const extra: u32 = symbol < 4 ? 0 : (symbol >> 1) - 1;
    store<u16>(scratch + DISTANCE_BASE + symbol * 2, distance);
    store<u8>(scratch + DISTANCE_EXTRA + symbol, extra);
    distance += 1 << extra;
  }
}

/** RFC 1951 section 3.2.7: 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1 15. */
function initPrecodeOrder(): void {
  const at = scratch + PRECODE_ORDER;
  store<u64>(at, 0x06_09_07_08_00_12_11_10);
  store<u64>(at + 8, 0x02_0d_03_0c_04_0b_05_0a);
  store<u32>(at + 16, 0x0f_01_0e);
}

function initRepeatShuffles(): void {
  for (let distance: u32 = 1; distance < 16; distance++) {
    for (let i: u32 = 0; i < 16; i++) {
      store<u8>(scratch + REPEAT_SHUFFLE + distance * 16 + i, i % distance);
    }
    store<u8>(scratch + REPEAT_STEP + distance, 16 - (16 % distance));
  }
}

export function initConstantTables(): void {
  initLengths();
  initDistances();
  initPrecodeOrder();
  initRepeatShuffles();
}
