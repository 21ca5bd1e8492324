/** Bodies of the HTTP benchmark: JSON and HTML as services send them, the same on every run and machine. */
const WORDS = (
  'the of and to in is that for with on as be at by this from or an are not have it was we can your more will about ' +
  'time order price account customer payment delivery invoice region status pending shipped cancelled address street ' +
  'product catalogue category quantity discount available warehouse supplier review rating average search filter page ' +
  'session device browser network latency request response error timeout retry cluster service worker queue message ' +
  'schedule report summary monthly weekly growth revenue margin forecast contract renewal partner channel campaign'
).split(' ');

/** xorshift32. */
function randomSource(seed: number): (below: number) => number {
  let state = (seed * 2654435761) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

type Random = ReturnType<typeof randomSource>;

const words = (random: Random, count: number): string =>
  Array.from({ length: count }, () => WORDS[random(WORDS.length)]).join(' ');

const id = (random: Random): string => random(0xffff_ffff).toString(16).padStart(8, '0');

function jsonRecord(random: Random, index: number): string {
  const tags = Array.from({ length: random(4) }, () => WORDS[random(WORDS.length)]);
  return `${JSON.stringify({
    id: `${id(random)}-${id(random)}`,
    index,
    createdAt: `2026-${1 + random(9)}-${10 + random(18)}T${10 + random(13)}:${10 + random(49)}:${10 + random(49)}.${100 + random(899)}Z`,
    customer: { name: words(random, 2), email: `${WORDS[random(WORDS.length)]}.${random(9999)}@example.com` },
    total: random(1_000_000) / 100,
    currency: ['EUR', 'USD', 'GBP'][random(3)],
    paid: random(2) === 0,
    tags,
    note: words(random, 4 + random(12)),
  })},\n`;
}

function htmlBlock(random: Random, index: number): string {
  const slug = words(random, 3).replaceAll(' ', '-');
  return (
    `<article class="card card--${WORDS[random(WORDS.length)]}" id="item-${index}" data-key="${id(random)}">\n` +
    `  <h2 class="card__title"><a href="/catalogue/${slug}?ref=${random(9999)}">${words(random, 3 + random(4))}</a></h2>\n` +
    `  <p class="card__text">${words(random, 15 + random(30))}.</p>\n` +
    `  <ul class="card__facts"><li>${random(500)} ${WORDS[random(WORDS.length)]}</li><li>€ ${random(90000) / 100}</li></ul>\n` +
    '</article>\n'
  );
}

/** `count` bodies of exactly `bytes`, JSON and HTML in turns. */
export function payloads(bytes: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => {
    const random = randomSource(i + 1);
    const isJson = i % 2 === 0;
    const parts = [
      isJson ? '{"items":[\n' : '<!doctype html>\n<html lang="en"><head><title>Shop</title></head><body>\n',
    ];
    for (let length = 0, index = 0; length < bytes; index++) {
      const part = isJson ? jsonRecord(random, index) : htmlBlock(random, index);
      parts.push(part);
      length += part.length;
    }
    return Buffer.from(parts.join('')).subarray(0, bytes);
  });
}
