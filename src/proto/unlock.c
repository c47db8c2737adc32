/* The two messages of unlocking. */
#include "proto/unlock.h"

#include "base/wire.h"

enum az_status
unlock_give_encode(const struct unlock_give *give, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_text(&writer, give->label);
	wire_put_bytes(&writer, give->passphrase);
	return writer.status;
}

enum az_status
unlock_give_decode(struct bytes bytes, struct unlock_give *ret_give)
{
	struct wire_reader reader;
	struct unlock_give give = {0};

	wire_reader_init(&reader, bytes);
	wire_get_text(&reader, give.label, sizeof(give.label));
	give.passphrase = wire_get_bytes(&reader, UNLOCK_PASSPHRASE_MAX);
	if (!wire_end(&reader) || !label_is_valid(give.label))
		return AZ_INVALID;
	*ret_give = give;
	return AZ_OK;
}

enum az_status
unlock_said_encode(const struct unlock_said *said, struct buffer *buffer)
{
	struct wire_writer writer;

	wire_writer_init(&writer, buffer);
	wire_put_u8(&writer, (uint8_t)said->status);
	wire_put_u32(&writer, said->given);
	wire_put_u32(&writer, said->needed);
	wire_put_text(&writer, said->text);
	return writer.status;
}

enum az_status
unlock_said_decode(struct bytes bytes, struct unlock_said *ret_said)
{
	struct wire_reader reader;
	struct unlock_said said = {0};
	uint8_t status;

	wire_reader_init(&reader, bytes);
	status = wire_get_u8(&reader);
	said.given = wire_get_u32(&reader);
	said.needed = wire_get_u32(&reader);
	wire_get_text(&reader, said.text, sizeof(said.text));
	/* Zero, which is never written, would be read as a bug of ours. */
	if (!wire_end(&reader) || status == AZ_INTERNAL || status > AZ_GONE)
		return AZ_INVALID;
	said.status = (enum az_status)status;
	*ret_said = said;
	return AZ_OK;
}
