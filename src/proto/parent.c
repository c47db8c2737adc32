/*
 * Messages between the parent and the keeper that have a structure of their own.
 */
#include "proto/parent.h"

#include <string.h>

#include "base/wire.h"

void
head_put(struct wire_writer *writer, const struct head *head)
{
	wire_put_u32(writer, head->log);
	wire_put_u32(writer, head->generation);
	wire_put_u64(writer, head->size);
	wire_put_raw(writer, head->root, sizeof(head->root));
}

void
head_get(struct wire_reader *reader, struct head *ret_head)
{
	ret_head->log = wire_get_u32(reader);
	ret_head->generation = wire_get_u32(reader);
	ret_head->size = wire_get_u64(reader);
	wire_get_raw(reader, ret_head->root, sizeof(ret_head->root));
}

enum az_status
parent_start_encode(const struct parent_start *start, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_raw(&writer, start->house, sizeof(start->house));
	wire_put_raw(&writer, start->root, sizeof(start->root));
	wire_put_raw(&writer, start->host, sizeof(start->host));
	wire_put_u8(&writer, start->found ? 1 : 0);
	if (start->found) {
		const struct parent_founding *founding = &start->founding;

		wire_put_text(&writer, founding->officer);
		wire_put_text(&writer, founding->name);
		wire_put_raw(&writer, founding->officer_key, sizeof(founding->officer_key));
		wire_put_text(&writer, founding->second);
		wire_put_raw(&writer, founding->invitation, sizeof(founding->invitation));
		wire_put_text(&writer, founding->device);
		wire_put_raw(&writer, founding->device_key, sizeof(founding->device_key));
	}
	return writer.status;
}

enum az_status
parent_start_decode(struct bytes bytes, struct parent_start *ret_start)
{
	struct wire_reader reader;
	struct parent_start start = {0};
	uint8_t found;
	bool good;

	wire_reader_init(&reader, bytes);
	wire_get_raw(&reader, start.house, sizeof(start.house));
	wire_get_raw(&reader, start.root, sizeof(start.root));
	wire_get_raw(&reader, start.host, sizeof(start.host));
	found = wire_get_u8(&reader);
	start.found = found == 1;
	if (start.found) {
		struct parent_founding *founding = &start.founding;

		wire_get_text(&reader, founding->officer, sizeof(founding->officer));
		wire_get_text(&reader, founding->name, sizeof(founding->name));
		wire_get_raw(&reader, founding->officer_key, sizeof(founding->officer_key));
		wire_get_text(&reader, founding->second, sizeof(founding->second));
		wire_get_raw(&reader, founding->invitation, sizeof(founding->invitation));
		wire_get_text(&reader, founding->device, sizeof(founding->device));
		wire_get_raw(&reader, founding->device_key, sizeof(founding->device_key));
	}
	good = found <= 1 && wire_end(&reader) &&
	    (!start.found ||
		(label_is_valid(start.founding.officer) && label_is_valid(start.founding.device) &&
		    (start.founding.second[0] == '\0' || label_is_valid(start.founding.second)) &&
		    (start.founding.name[0] == '\0' || name_is_valid(start.founding.name))));
	if (good)
		*ret_start = start;
	az_wipe(&start, sizeof(start));
	return good ? AZ_OK : AZ_INVALID;
}

enum az_status
parent_slots_encode(const struct parent_slots *slots, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_raw(&writer, slots->ring, sizeof(slots->ring));
	wire_put_u8(&writer, slots->needed);
	wire_put_u8(&writer, slots->count);
	for (uint8_t i = 0; i < slots->count; i++) {
		wire_put_text(&writer, slots->labels[i]);
		wire_put_bytes(&writer, slots->passphrases[i]);
	}
	return writer.status;
}

enum az_status
parent_slots_decode(struct bytes bytes, struct parent_slots *ret_slots)
{
	struct wire_reader reader;
	struct parent_slots slots = {0};
	bool good = true;

	wire_reader_init(&reader, bytes);
	wire_get_raw(&reader, slots.ring, sizeof(slots.ring));
	slots.needed = wire_get_u8(&reader);
	slots.count = wire_get_u8(&reader);
	for (uint8_t i = 0; i < slots.count && i < PARENT_SLOTS_MAX; i++) {
		wire_get_text(&reader, slots.labels[i], sizeof(slots.labels[i]));
		slots.passphrases[i] = wire_get_bytes(&reader, PARENT_PASSPHRASE_MAX);
		good = good && label_is_valid(slots.labels[i]) && slots.passphrases[i].size > 0;
	}
	if (!wire_end(&reader) || !good || slots.needed == 0 || slots.needed > slots.count ||
	    slots.count > PARENT_SLOTS_MAX)
		return AZ_INVALID;
	*ret_slots = slots;
	return AZ_OK;
}

void
house_file_encode(const struct house_file *file, uint8_t data[HOUSE_FILE_SIZE])
{
	struct file_header header = {.magic = HOUSE_FILE_MAGIC, .format = 1};

	memcpy(header.house, file->house, HOUSE_ID_SIZE);
	file_header_encode(&header, data);
	memcpy(data + FILE_HEADER_SIZE, file->keeper, sizeof(file->keeper));
}

enum az_status
house_file_decode(struct bytes bytes, struct house_file *ret_file, struct az_err *reterr)
{
	struct file_header expected = {.magic = HOUSE_FILE_MAGIC, .format = 1};
	enum az_status status;

	if (bytes.size != HOUSE_FILE_SIZE)
		return az_fail(reterr, AZ_CORRUPT, "house file: it has %zu bytes instead of %u",
		    bytes.size, HOUSE_FILE_SIZE);
	/* It says itself whose it is; the key files and the channel hold it to that. */
	memcpy(expected.house, bytes.data + 16, HOUSE_ID_SIZE);
	status = file_header_check(bytes.data, &expected, "house file", reterr);
	if (status != AZ_OK)
		return status;
	memcpy(ret_file->house, expected.house, HOUSE_ID_SIZE);
	memcpy(ret_file->keeper, bytes.data + FILE_HEADER_SIZE, sizeof(ret_file->keeper));
	return AZ_OK;
}
