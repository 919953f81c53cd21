/** Times that a PLC keeps beside a batch: shown to people as the PLC's clock says, and never compared with another clock. */
import type { SlotType } from './slot-types';

const two = (value: number): string => String(value).padStart(2, '0');
const NOT_SET = '';

interface Moment {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const shown = ({ year, month, day, hour, minute, second }: Moment): string =>
  month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60
    ? `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`
    : NOT_SET;

/** DTL: year (2 bytes), month, day, weekday, hour, minute, second, nanoseconds. */
const dtl = (bytes: Buffer): string =>
  shown({
    year: bytes.readUInt16BE(0),
    month: bytes[2]!,
    day: bytes[3]!,
    hour: bytes[5]!,
    minute: bytes[6]!,
    second: bytes[7]!,
  });

/** DATE_AND_TIME: two BCD digits each; years from 90 on are 1990 to 1999. */
function dateAndTime(bytes: Buffer): string {
  const [year, month, day, hour, minute, second] = [...bytes.subarray(0, 6)].map((byte) => Number(byte.toString(16)));
  if ([year, month, day, hour, minute, second].some((part) => part === undefined || Number.isNaN(part))) return NOT_SET;
  return shown({
    year: year! + (year! < 90 ? 2000 : 1900),
    month: month!,
    day: day!,
    hour: hour!,
    minute: minute!,
    second: second!,
  });
}

/** LDT: nanoseconds since 1970. */
function ldt(bytes: Buffer): string {
  const ms = Number(bytes.readBigInt64BE() / 1_000_000n);
  return ms === 0 || Math.abs(ms) > 8.64e15 ? NOT_SET : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** A time as text, without a zone, since the PLC tells none; '' where there is none. */
export const decodeTime = (bytes: Buffer, type: SlotType): string =>
  type === 'DTL' ? dtl(bytes) : type === 'LDT' ? ldt(bytes) : dateAndTime(bytes);
