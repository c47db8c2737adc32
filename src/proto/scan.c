/*
 * What the scanner is asked.
 */
#include "proto/scan.h"

#include "base/wire.h"

void
scan_read_put(struct wire_writer *writer, const struct scan_read *read)
{
	wire_put_u64(writer, read->bytes_max);
	wire_put_u64(writer, read->time_max_us);
	wire_put_u8(writer, read->flags);
}

void
scan_read_get(struct wire_reader *reader, struct scan_read *ret_read)
{
	struct scan_read read = {0};

	read.bytes_max = wire_get_u64(reader);
	read.time_max_us = wire_get_u64(reader);
	read.flags = wire_get_u8(reader);
	if ((read.flags &
		~(SCAN_FLAG_IMAGE | SCAN_FLAG_HITS | SCAN_FLAG_TOKENS | SCAN_FLAG_STRICT)) != 0 ||
	    read.time_max_us > INT64_MAX / 4)
		reader->failed = true;
	*ret_read = reader->failed ? (struct scan_read){0} : read;
}
