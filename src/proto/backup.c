/*
 * Paths in a backup come from a file that whoever keeps backups can write, and a restore makes files of them: so
 * they are held to the few shapes that a house has. Both forms have one encoding only.
 */
#include "proto/backup.h"

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

#define MANIFEST_MAGIC "AZBACKUP"
#define KEYS_MAGIC     "AZKEYBAK"
#define FILE_MIN       (4u + 1u + 8u + 32u)

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

bool
backup_path_is_valid(const char *path)
{
	size_t size = strnlen(path, BACKUP_PATH_SIZE);
	char before = '/';

	if (strcmp(path, "house") == 0)
		return true;
	if (size == BACKUP_PATH_SIZE ||
	    !(starts_with(path, "keeper/") || starts_with(path, "vault/")))
		return false;
	/* Neither "." nor ".." nor an empty part, nor a hidden file: no part begins with a dot. */
	for (size_t i = 0; i < size; i++) {
		char c = path[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';

		if (!plain || (before == '/' && (c == '/' || c == '.')))
			return false;
		before = c;
	}
	return before != '/';
}

static void
put_header(struct wire_writer *writer, const char *magic, const uint8_t house[HOUSE_ID_SIZE])
{
	struct file_header header = {.format = 1};
	uint8_t data[FILE_HEADER_SIZE];

	memcpy(header.magic, magic, sizeof(header.magic));
	memcpy(header.house, house, HOUSE_ID_SIZE);
	file_header_encode(&header, data);
	wire_put_raw(writer, data, sizeof(data));
}

/* The header's house; whose it should be is for the caller to say. */
static bool
get_header(struct wire_reader *reader, const char *magic, uint8_t house[HOUSE_ID_SIZE])
{
	struct file_header header = {.format = 1};
	uint8_t data[FILE_HEADER_SIZE] = {0};

	wire_get_raw(reader, data, sizeof(data));
	memcpy(header.magic, magic, sizeof(header.magic));
	memcpy(header.house, data + FILE_HEADER_SIZE - HOUSE_ID_SIZE, HOUSE_ID_SIZE);
	memcpy(house, header.house, HOUSE_ID_SIZE);
	return !reader->failed && file_header_check(data, &header, "the backup", NULL) == AZ_OK;
}

enum az_status
backup_manifest_encode(const struct backup_manifest *manifest, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	put_header(&writer, MANIFEST_MAGIC, manifest->house);
	wire_put_i64(&writer, manifest->time_us);
	wire_put_u8(&writer, manifest->live ? 1 : 0);
	wire_put_u32(&writer, manifest->count);
	if (manifest->count > BACKUP_FILES_MAX)
		return AZ_INVALID;
	for (uint32_t i = 0; i < manifest->count; i++) {
		const struct backup_file *file = &manifest->files[i];

		if (!backup_path_is_valid(file->path) ||
		    (i > 0 && strcmp(manifest->files[i - 1].path, file->path) >= 0))
			return AZ_INVALID;
		wire_put_text(&writer, file->path);
		wire_put_u64(&writer, file->size);
		wire_put_raw(&writer, file->sha256, sizeof(file->sha256));
	}
	return writer.status;
}

enum az_status
backup_manifest_decode(struct bytes bytes, struct backup_manifest *ret_manifest)
{
	struct backup_manifest manifest = {0};
	struct wire_reader reader;
	bool good;
	uint8_t live;

	wire_reader_init(&reader, bytes);
	good = get_header(&reader, MANIFEST_MAGIC, manifest.house);
	manifest.time_us = wire_get_i64(&reader);
	live = wire_get_u8(&reader);
	manifest.live = live == 1;
	manifest.count = wire_get_count(&reader, BACKUP_FILES_MAX, FILE_MIN);
	manifest.files = calloc((size_t)manifest.count + 1, sizeof(*manifest.files));
	if (manifest.files == NULL)
		return AZ_NO_MEMORY;
	for (uint32_t i = 0; i < manifest.count && good; i++) {
		struct backup_file *file = &manifest.files[i];

		wire_get_text(&reader, file->path, sizeof(file->path));
		file->size = wire_get_u64(&reader);
		wire_get_raw(&reader, file->sha256, sizeof(file->sha256));
		good = backup_path_is_valid(file->path) &&
		    (i == 0 || strcmp(manifest.files[i - 1].path, file->path) < 0);
	}
	if (!good || live > 1 || !wire_end(&reader)) {
		free(manifest.files);
		return AZ_CORRUPT;
	}
	*ret_manifest = manifest;
	return AZ_OK;
}

enum az_status
backup_keys_encode(const struct backup_keys *keys, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	put_header(&writer, KEYS_MAGIC, keys->house);
	wire_put_i64(&writer, keys->made_us);
	wire_put_i64(&writer, keys->until_us);
	wire_put_u8(&writer, (uint8_t)keys->kind);
	wire_put_bytes(&writer, keys->root);
	wire_put_bytes(&writer, keys->host);
	wire_put_bytes(&writer, keys->device);
	wire_put_bytes(&writer, keys->ring);
	return writer.status;
}

enum az_status
backup_keys_decode(struct bytes bytes, struct backup_keys *ret_keys)
{
	struct backup_keys keys = {0};
	struct wire_reader reader;
	bool good;
	uint8_t kind;

	wire_reader_init(&reader, bytes);
	good = get_header(&reader, KEYS_MAGIC, keys.house);
	keys.made_us = wire_get_i64(&reader);
	keys.until_us = wire_get_i64(&reader);
	kind = wire_get_u8(&reader);
	keys.root = wire_get_bytes(&reader, 64 * 1024);
	keys.host = wire_get_bytes(&reader, 4096);
	keys.device = wire_get_bytes(&reader, 4096);
	keys.ring = wire_get_bytes(&reader, BACKUP_KEYS_MAX);
	if (!good || !wire_end(&reader) || (kind != BACKUP_ROOT_PLAIN && kind != BACKUP_ROOT_SLOTS))
		return AZ_CORRUPT;
	keys.kind = (enum backup_root)kind;
	*ret_keys = keys;
	return AZ_OK;
}
