/*
 * The least of a ZIP archive: parts that are stored, with the cipher that PKWARE published in 1990 (APPNOTE 6.1) where there is
 * a password. It protects nothing, and is what offices send; that is why it is here, and only for made-up people.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/wire.h"
#include "cli/demo.h"

#define CHUNK    65536u
#define HEADER   12u
#define DOS_DATE 0x5c79u /* 2026-03-25 */

struct demo_zip {
	int fd;
	const char *password;
	uint32_t table[256]; /* of CRC-32 */
	uint64_t offset;
	uint16_t count;
	struct buffer directory;
	uint8_t chunk[CHUNK];
};

/* The cipher's state. */
struct keys {
	uint32_t keys[3];
};

static uint32_t
crc_byte(const struct demo_zip *zip, uint32_t crc, uint8_t byte)
{
	return crc >> 8 ^ zip->table[(crc ^ byte) & 0xff];
}

static void
update(const struct demo_zip *zip, struct keys *keys, uint8_t byte)
{
	keys->keys[0] = crc_byte(zip, keys->keys[0], byte);
	keys->keys[1] = (keys->keys[1] + (keys->keys[0] & 0xff)) * 134775813u + 1;
	keys->keys[2] = crc_byte(zip, keys->keys[2], (uint8_t)(keys->keys[1] >> 24));
}

static void
encrypt(const struct demo_zip *zip, struct keys *keys, uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint32_t mixed = (keys->keys[2] & 0xffff) | 2;
		uint8_t pad = (uint8_t)((mixed * (mixed ^ 1)) >> 8);

		update(zip, keys, data[i]);
		data[i] ^= pad;
	}
}

enum az_status
demo_zip_new(int dirfd, const char *name, const char *password, struct demo_zip **ret_zip,
    struct az_err *reterr)
{
	struct demo_zip *zip = calloc(1, sizeof(*zip));

	if (zip == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "%s: out of memory", name);
	zip->password = password;
	buffer_init(&zip->directory, 65536, false);
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
		zip->table[i] = crc;
	}
	zip->fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (zip->fd < 0) {
		demo_zip_free(&zip);
		return az_fail(reterr, AZ_IO, "%s cannot be made", name);
	}
	*ret_zip = zip;
	return AZ_OK;
}

void
demo_zip_free(struct demo_zip **zip)
{
	if (*zip == NULL)
		return;
	fd_close(&(*zip)->fd);
	buffer_fini(&(*zip)->directory);
	free(*zip);
	*zip = NULL;
}

static enum az_status
put(struct demo_zip *zip, struct bytes bytes, struct az_err *reterr)
{
	zip->offset += bytes.size;
	if (zip->offset > UINT32_MAX)
		return az_fail(reterr, AZ_LIMIT, "an archive of more than 4 GiB");
	return file_write(zip->fd, bytes, reterr);
}

/* What stands before a part (a local header) and, with more, in the directory. */
static enum az_status
put_header(struct wire_writer *writer, const struct demo_zip *zip, const char *part, uint32_t crc,
    uint32_t size, bool central, uint32_t offset)
{
	uint32_t stored = size + (zip->password != NULL ? HEADER : 0);

	wire_put_u32(writer, central ? 0x02014b50u : 0x04034b50u);
	if (central)
		wire_put_u16(writer, 20);
	wire_put_u16(writer, 20);
	wire_put_u16(writer, zip->password != NULL ? 1 : 0);
	wire_put_u16(writer, 0); /* stored */
	wire_put_u16(writer, 0);
	wire_put_u16(writer, DOS_DATE);
	wire_put_u32(writer, crc);
	wire_put_u32(writer, stored);
	wire_put_u32(writer, size);
	wire_put_u16(writer, (uint16_t)strlen(part));
	wire_put_u16(writer, 0);
	if (central) {
		wire_put_u16(writer, 0);
		wire_put_u16(writer, 0);
		wire_put_u16(writer, 0);
		wire_put_u32(writer, 0);
		wire_put_u32(writer, offset);
	}
	wire_put_raw(writer, (const uint8_t *)part, strlen(part));
	return writer->status;
}

/* First the sum over it, which its header needs. */
static enum az_status
sum(struct demo_zip *zip, int fd, uint32_t *ret_crc, uint64_t *ret_size, struct az_err *reterr)
{
	uint32_t crc = 0xffffffffu;
	uint64_t size = 0;
	ssize_t got;

	while ((got = pread(fd, zip->chunk, CHUNK, (off_t)size)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			crc = crc_byte(zip, crc, zip->chunk[i]);
		size += (uint64_t)got;
	}
	if (got < 0 || size > UINT32_MAX - HEADER)
		return az_fail(reterr, got < 0 ? AZ_IO : AZ_LIMIT, "a part of an archive");
	*ret_crc = crc ^ 0xffffffffu;
	*ret_size = size;
	return AZ_OK;
}

static enum az_status
put_body(struct demo_zip *zip, int fd, uint32_t crc, struct az_err *reterr)
{
	struct keys keys = {{0x12345678u, 0x23456789u, 0x34567890u}};
	/* Eleven bytes that should be random, and one by which a wrong password is noticed. */
	uint8_t first[HEADER] = "azukaridemo";
	uint64_t offset = 0;
	ssize_t got;
	enum az_status status = AZ_OK;

	first[HEADER - 1] = (uint8_t)(crc >> 24);
	for (const char *at = zip->password; at != NULL && *at != '\0'; at++)
		update(zip, &keys, (uint8_t)*at);
	if (zip->password != NULL) {
		encrypt(zip, &keys, first, sizeof(first));
		status = put(zip, bytes_make(first, sizeof(first)), reterr);
	}
	while (status == AZ_OK && (got = pread(fd, zip->chunk, CHUNK, (off_t)offset)) > 0) {
		offset += (uint64_t)got;
		if (zip->password != NULL)
			encrypt(zip, &keys, zip->chunk, (size_t)got);
		status = put(zip, bytes_make(zip->chunk, (size_t)got), reterr);
	}
	return status;
}

enum az_status
demo_zip_add(struct demo_zip *zip, const char *part, int fd, struct az_err *reterr)
{
	struct wire_writer writer;
	struct buffer header;
	uint64_t size = 0;
	uint32_t crc = 0;
	uint32_t offset = (uint32_t)zip->offset;
	enum az_status status = sum(zip, fd, &crc, &size, reterr);

	buffer_init(&header, 1024, false);
	wire_writer_init(&writer, &header);
	if (status == AZ_OK)
		status = put_header(&writer, zip, part, crc, (uint32_t)size, false, 0);
	if (status == AZ_OK)
		status = put(zip, buffer_peek(&header), reterr);
	if (status == AZ_OK)
		status = put_body(zip, fd, crc, reterr);
	buffer_fini(&header);
	if (status != AZ_OK)
		return status;
	zip->count++;
	wire_writer_init(&writer, &zip->directory);
	return put_header(&writer, zip, part, crc, (uint32_t)size, true, offset);
}

enum az_status
demo_zip_text(struct demo_zip *zip, const char *part, const char *text, struct az_err *reterr)
{
	FILE *file = tmpfile();
	enum az_status status;

	if (file == NULL || fputs(text, file) < 0 || fflush(file) != 0)
		status = az_fail(reterr, AZ_IO, "%s cannot be written", part);
	else
		status = demo_zip_add(zip, part, fileno(file), reterr);
	if (file != NULL)
		(void)fclose(file);
	return status;
}

enum az_status
demo_zip_finish(struct demo_zip **zip, struct az_err *reterr)
{
	struct demo_zip *done = *zip;
	uint32_t at = (uint32_t)done->offset;
	struct wire_writer writer;
	struct buffer end;
	enum az_status status = put(done, buffer_peek(&done->directory), reterr);

	buffer_init(&end, 64, false);
	wire_writer_init(&writer, &end);
	wire_put_u32(&writer, 0x06054b50u);
	wire_put_u32(&writer, 0);
	wire_put_u16(&writer, done->count);
	wire_put_u16(&writer, done->count);
	wire_put_u32(&writer, (uint32_t)done->directory.size);
	wire_put_u32(&writer, at);
	wire_put_u16(&writer, 0);
	if (status == AZ_OK)
		status = writer.status;
	if (status == AZ_OK)
		status = put(done, buffer_peek(&end), reterr);
	buffer_fini(&end);
	demo_zip_free(zip);
	return status;
}
