// What the examples of the README take for granted.

declare const endpoint: string;
declare const pointer: string;
declare const oid: string;
declare const size: number;
declare const token: string;
declare const bytes: ArrayBuffer;
