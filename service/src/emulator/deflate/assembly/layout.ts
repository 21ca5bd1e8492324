/**
 * Where everything lives. Several instances share one linear memory with the clients' buffers, so the module has no
 * data segment and no fixed address: all state is in WebAssembly globals (private to an instance) or in the scratch
 * range that the instance is given at creation. Addresses below are offsets from its start.
 */

/**
 * Result words that the host reads after a job: produced, consumed, checksum, reason, and of
 * inflate the position word, stored bytes left in the block and bytes in the window.
 */
export const RESULT: usize = 0;
/** Behind the result words. */
const TABLES: usize = 64;

// Constant tables, computed by `init` (RFC 1951 section 3.2.5).
/** u8[256]: match length − 3 → length symbol − 257. */
export const LENGTH_SYMBOL: usize = TABLES;
/** u16[32]: first match length of a length symbol. */
export const LENGTH_BASE: usize = LENGTH_SYMBOL + 256;
/** u8[32]: extra bits of a length symbol. */
export const LENGTH_EXTRA: usize = LENGTH_BASE + 64;
/** u16[32]: first distance of a distance symbol. */
export const DISTANCE_BASE: usize = LENGTH_EXTRA + 32;
/** u8[32]: extra bits of a distance symbol. */
export const DISTANCE_EXTRA: usize = DISTANCE_BASE + 64;
/** u8[32]: the order in which code length code lengths are sent (RFC 1951 section 3.2.7). */
export const PRECODE_ORDER: usize = DISTANCE_EXTRA + 32;
/** v128[16]: shuffle that repeats the last `distance` bytes; index is the distance. */
export const REPEAT_SHUFFLE: usize = PRECODE_ORDER + 32;
/** u8[16]: the longest multiple of a distance that fits in 16. */
export const REPEAT_STEP: usize = REPEAT_SHUFFLE + 256;
/** u32[16][256]: CRC-32 of a byte followed by 0–15 zero bytes. */
export const CRC_TABLES: usize = REPEAT_STEP + 32;

// Inflate: decode tables. Entries are described in decode-table.ts.
/** u32[288]: decode entries of the literal/length symbols, without code lengths. */
export const LITLEN_TEMPLATE: usize = CRC_TABLES + 16 * 1024;
/** u32[32]: the same for distance symbols. */
export const DISTANCE_TEMPLATE: usize = LITLEN_TEMPLATE + 288 * 4;
/**
 * u32[2560]: decode table of the fixed literal/length code: root 2048, and room for subtables. 288 symbols with a root
 * of 11 bits and codes of at most 15 need 2342 entries at worst. Behind it u32[512] for distances: root 256; 32 symbols
 * need 402 entries at worst.
 */
export const FIXED_LITLEN: usize = DISTANCE_TEMPLATE + 32 * 4;
/** From a literal/length table to its distance table. */
export const DISTANCE_TABLE: usize = 2560 * 4;
/** The same two tables for the current dynamic block. */
export const DYNAMIC_LITLEN: usize = FIXED_LITLEN + DISTANCE_TABLE + 512 * 4;
/** u16[128]: decode table of the code length code: symbol | bits << 8. */
export const PRECODE_TABLE: usize = DYNAMIC_LITLEN + DISTANCE_TABLE + 512 * 4;
/** u8[32]: code length code lengths in symbol order. */
export const PRECODE_LENGTHS: usize = PRECODE_TABLE + 256;
/** u8[336]: code lengths of the current dynamic block, literal/length first, then distance. */
export const CODE_LENGTHS: usize = PRECODE_LENGTHS + 32;
/** u8[336]: the code lengths that DYNAMIC_LITLEN and DYNAMIC_DISTANCE were built from. */
export const BUILT_LENGTHS: usize = CODE_LENGTHS + 336;
/** u16[320] and two u32[16]: work space of the table builder. */
export const BUILD_SORTED: usize = BUILT_LENGTHS + 336;
export const BUILD_COUNT: usize = BUILD_SORTED + 640;
export const BUILD_OFFSET: usize = BUILD_COUNT + 64;

// Deflate: symbols of the block being built.
/** u32[512]: uses of each literal (0–255) and match length (256 + length − 3) in the newest chunk of tokens. */
export const RAW_LITLEN_COUNT: usize = BUILD_OFFSET + 64;
/** u32[32]: uses of each distance symbol in the newest chunk. */
export const RAW_DISTANCE_COUNT: usize = RAW_LITLEN_COUNT + 512 * 4;
/** u32[320]: the newest chunk's counts in the alphabets of RFC 1951: 288 literal/length, then 32 distance. */
export const CHUNK_COUNT: usize = RAW_DISTANCE_COUNT + 32 * 4;
/** The same for the open block, which the newest chunk is not yet part of. */
export const SYMBOL_COUNT: usize = CHUNK_COUNT + 320 * 4;
/** u8[320] code lengths and u16[320] bit-reversed codes of the same symbols. */
export const SYMBOL_LENGTH: usize = SYMBOL_COUNT + 320 * 4;
export const SYMBOL_CODE: usize = SYMBOL_LENGTH + 320;
/** u32[512]: what a token's literal/length index costs: code with extra bits merged | bits << 24. */
export const ENCODE_LITLEN: usize = SYMBOL_CODE + 640;
/** u32[32]: code | code bits << 16 | code and extra bits << 24. */
export const ENCODE_DISTANCE: usize = ENCODE_LITLEN + 512 * 4;
/** The same two tables for the fixed code. */
export const FIXED_ENCODE_LITLEN: usize = ENCODE_DISTANCE + 32 * 4;
export const FIXED_ENCODE_DISTANCE: usize = FIXED_ENCODE_LITLEN + 512 * 4;
/** Code length code: u32[19] counts, u8[19] lengths, u16[19] codes, u16[320] items (symbol | extra << 8). */
export const PRECODE_COUNT: usize = FIXED_ENCODE_DISTANCE + 32 * 4;
export const PRECODE_LENGTH: usize = PRECODE_COUNT + 80;
export const PRECODE_CODE: usize = PRECODE_LENGTH + 32;
export const PRECODE_ITEMS: usize = PRECODE_CODE + 48;
/** u32[288], u32[32] and u32[20]: count << 9 | symbol of the symbols in use of the newest code of each alphabet. */
export const USED_LITLEN: usize = PRECODE_ITEMS + 640;
export const USED_DISTANCE: usize = USED_LITLEN + 288 * 4;
export const USED_PRECODE: usize = USED_DISTANCE + 32 * 4;
/** u8[336]: code lengths as a header sends them, literal/length and distance in one sequence, then one that ends any run. */
export const HEADER_LENGTHS: usize = USED_PRECODE + 80;
/** Work space of the Huffman builder: three u32[320] and a u32[256]. */
export const SORT_A: usize = HEADER_LENGTHS + 336;
export const SORT_B: usize = SORT_A + 320 * 4;
export const SORT_WORK: usize = SORT_B + 320 * 4;
export const SORT_COUNT: usize = SORT_WORK + 320 * 4;
/** Work space of the CRC: history, one segment, zeros. */
export const CRC_WORK: usize = SORT_COUNT + 1024;
/** u32[64 Ki + slack]: tokens of the open block and the newest chunk. */
export const TOKENS: usize = 96 * 1024;
export const TOKEN_CAPACITY: u32 = 72 * 1024;
/** u32[32 Ki]: position of the newest occurrence of a 4-byte hash. */
export const HASH_HEADS: usize = TOKENS + <usize>TOKEN_CAPACITY * 4;
export const HASH_BITS: u32 = 15;
/** u32[16 Ki]: the same for 3-byte hashes (levels 4 and up). */
export const HASH3_HEADS: usize = HASH_HEADS + 32768 * 4;
export const HASH3_BITS: u32 = 14;
/** u16[32 Ki]: how far back the previous occurrence with the same hash is, by position modulo 32 Ki. */
export const CHAIN: usize = HASH3_HEADS + 16384 * 4;
/** u16[32 Ki]: heads of the fast parser. */
export const FAST_HEADS: usize = CHAIN + 32768 * 2;
/** u16[512] and u16[32]: what a literal or match length, and a distance, cost with their extra bits; see costs.ts. */
export const COST_LITLEN: usize = FAST_HEADS + 32768 * 2;
export const COST_DISTANCE: usize = COST_LITLEN + 1024;
/** The same two tables as they are before anything is known. */
export const USUAL_COSTS: usize = COST_DISTANCE + 64;
export const SCRATCH_BYTES: usize = USUAL_COSTS + 1088;

/** Start of this instance's scratch range. */
export let scratch: usize = 0;

export function setScratch(address: usize): void {
  scratch = address;
}
