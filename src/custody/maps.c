/*
 * Keeping a client's map of columns. The keeper does not read it: intake does, when a list comes, and says which part
 * does not fit.
 */
#include "custody/maps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP_FORMAT 1u
#define CHANGE_MAP 3u /* detail of the entry: neither added nor closed */

struct column_map {
	uint32_t client;
	char columns[FRONT_COLUMNS_MAX];
};

void
maps_free(struct custody *custody)
{
	free(custody->maps);
	custody->maps = NULL;
	custody->map_count = 0;
}

static struct column_map *
find(const struct custody *custody, uint32_t client)
{
	for (size_t i = 0; i < custody->map_count; i++) {
		if (custody->maps[i].client == client)
			return &custody->maps[i];
	}
	return NULL;
}

const char *
map_of(const struct custody *custody, uint32_t client)
{
	const struct column_map *map = find(custody, client);

	return map != NULL ? map->columns : "";
}

enum az_status
map_apply(struct custody *custody, struct bytes thing, struct az_err *reterr)
{
	struct wire_reader reader;
	struct column_map map = {0};
	struct column_map *kept;
	uint8_t format;

	wire_reader_init(&reader, thing);
	format = wire_get_u8(&reader);
	map.client = wire_get_u32(&reader);
	wire_get_text(&reader, map.columns, sizeof(map.columns));
	if (!wire_end(&reader) || format != MAP_FORMAT || map.client == 0)
		return az_fail(reterr, AZ_CORRUPT, "map of columns: it cannot be read");
	kept = find(custody, map.client);
	if (kept == NULL) {
		kept = realloc(custody->maps, (custody->map_count + 1) * sizeof(*kept));
		if (kept == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "map of columns: out of memory");
		custody->maps = kept;
		kept = &custody->maps[custody->map_count++];
	}
	*kept = map;
	return AZ_OK;
}

/* --- verbs ------------------------------------------------------------------------------------ */

/* The client that is meant; NULL after the request has ended. */
static const struct client *
asked_client(struct request *request, const char *label)
{
	const struct client *client = policy_client_labelled(request->custody->policy, label);
	struct az_err err = {0};

	if (client != NULL)
		return client;
	(void)az_fail(&err, AZ_NOT_FOUND, "client %s: there is no such client", label);
	request_fail(request, &err);
	return NULL;
}

void
verb_map_set(struct request *request, const union front_request *body)
{
	const struct front_map *asked = &body->map;
	const struct client *client;
	struct ledger_entry entry;
	struct payload payload;
	struct buffer thing;
	struct wire_writer writer;
	enum az_status status;

	if (!change_is_permitted(request))
		return;
	client = asked_client(request, asked->client);
	if (client == NULL)
		return;
	entry = request_entry(request, ENTRY_CLIENT);
	entry.log = client->id;
	entry.subject = client->id;
	entry.detail = CHANGE_MAP;
	payload_init(&payload);
	buffer_init(&thing, STATE_THING_MAX, false);
	wire_writer_init(&writer, &thing);
	wire_put_u8(&writer, MAP_FORMAT);
	wire_put_u32(&writer, client->id);
	wire_put_text(&writer, asked->columns);
	status = payload_put_thing(&payload, THING_MAP, client->id, writer.status, &thing);
	change_submit(request, entry, status, &payload, "map", client->id, client->label);
}

void
verb_map_show(struct request *request, const union front_request *body)
{
	const struct client *client;
	struct wire_writer writer;

	if (!change_is_permitted(request))
		return;
	client = asked_client(request, body->map.client);
	if (client == NULL)
		return;
	writer = reply_begin(request, FRONT_DONE);
	answer_object(&writer, NULL);
	answer_text(&writer, "client", client->label);
	answer_text(&writer, "columns", map_of(request->custody, client->id));
	answer_end(&writer);
	reply_end(request, &writer);
}
