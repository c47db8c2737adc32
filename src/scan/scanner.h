/*
 * The scanner process: files by descriptor in, counts and places of tokens out. It parses hostile bytes with large
 * libraries, and so has no key, opens nothing but the tables of encodings that poppler brings, and is expected to die now
 * and then; its parent starts another.
 */
#ifndef AZ_SCAN_SCANNER_H
#define AZ_SCAN_SCANNER_H

/* Serves fd (proto/scan.h) until it closes. Returns the exit code. */
int scanner_run(int fd);

#endif
