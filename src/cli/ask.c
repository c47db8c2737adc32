/*
 * Connecting, asking, printing.
 */
#include "cli/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every screen of an unsealed house says so. */
static void
mark_unsealed(const struct cli *cli, const struct front *front)
{
	char name[HOUSE_NAME_SIZE];

	if (cli->json || !house_is_unsealed(front_house(front)->house))
		return;
	house_name(front_house(front)->house, name);
	(void)fprintf(stderr, "house %s: UNSEALED, for demonstrations and tests only\n", name);
}

enum az_status
ask_connect(const struct cli *cli, struct front **ret_front, struct az_err *reterr)
{
	enum az_status status = front_connect(cli, ret_front, reterr);

	if (status == AZ_OK)
		mark_unsealed(cli, *ret_front);
	return status;
}

/* Asks that somebody else approve a request. */
static enum az_status
ask_approval(const struct cli *cli, struct front *front, enum front_message type,
    const union front_request *request, int fd, struct front_answer *answer, struct az_err *reterr)
{
	union front_request wrapped = {0};
	struct front_ask *ask = &wrapped.ask;
	struct buffer message;
	enum az_status status = AZ_INVALID;

	if (fd >= 0)
		return az_fail(reterr, AZ_INVALID, "ask: what comes with a file cannot be asked");
	buffer_init(&message, FRONT_FRAME_MAX, true);
	status = front_encode(type, 0, request, &message);
	if (status == AZ_OK) {
		ask->seconds = cli->asking->seconds;
		(void)snprintf(ask->note, sizeof(ask->note), "%s", cli->asking->note);
		ask->type = (uint16_t)type;
		ask->body = bytes_make(
		    message.data + FRONT_MESSAGE_HEADER, message.size - FRONT_MESSAGE_HEADER);
		status = front_ask(front, FRONT_ASK, &wrapped, -1, answer, reterr);
	} else {
		(void)az_fail(reterr, status, "what is asked is not a valid request");
	}
	buffer_fini(&message);
	return status;
}

int
ask(const struct cli *cli, enum front_message type, const union front_request *request, int fd,
    struct front_answer *answer)
{
	struct front *front = NULL;
	struct az_err err = {0};
	enum az_status status = ask_connect(cli, &front, &err);

	if (status == AZ_OK && cli->asking != NULL)
		status = ask_approval(cli, front, type, request, fd, answer, &err);
	else if (status == AZ_OK)
		status = front_ask(front, type, request, fd, answer, &err);
	front_close(&front);
	return status == AZ_OK ? 0 : print_error(cli, status, err.text, NULL);
}

int
ask_and_print(const struct cli *cli, enum front_message type, const union front_request *request,
    int fd, const char *items)
{
	struct front_answer answer;
	int code;

	front_answer_init(&answer);
	code = ask(cli, type, request, fd, &answer);
	if (code == 0)
		code = print_answer(cli, &answer, items);
	front_answer_fini(&answer);
	return code;
}

bool
copy_argument(char *field, size_t room, const char *argument)
{
	if (argument == NULL || strlen(argument) >= room)
		return false;
	(void)snprintf(field, room, "%s", argument);
	return true;
}

bool
cut_purpose(const char *text, char client[LABEL_SIZE], char label[LABEL_SIZE])
{
	const char *slash = strchr(text, '/');

	if (slash == NULL || (size_t)(slash - text) >= LABEL_SIZE)
		return false;
	(void)snprintf(client, LABEL_SIZE, "%.*s", (int)(slash - text), text);
	return label_is_valid(client) && copy_argument(label, LABEL_SIZE, slash + 1) &&
	    label_is_valid(label);
}

bool
duration_read(const char *text, uint32_t *ret_seconds)
{
	static const struct {
		char unit;
		unsigned long seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end = NULL;
	unsigned long count;

	if (text[0] < '1' || text[0] > '9')
		return false;
	errno = 0;
	count = strtoul(text, &end, 10);
	for (size_t i = 0; i < AZ_ARRAY_SIZE(units); i++) {
		if (errno == 0 && end[0] == units[i].unit && end[1] == '\0' &&
		    count <= UINT32_MAX / units[i].seconds) {
			*ret_seconds = (uint32_t)(count * units[i].seconds);
			return true;
		}
	}
	return false;
}

/* "09:00" */
static bool
read_time(const char *text, uint16_t *ret_minutes)
{
	for (size_t i = 0; i < 5; i++) {
		if (i == 2 ? text[i] != ':' : (text[i] < '0' || text[i] > '9'))
			return false;
	}
	*ret_minutes = (uint16_t)(((text[0] - '0') * 10 + (text[1] - '0')) * 60 +
	    (text[3] - '0') * 10 + (text[4] - '0'));
	return text[0] * 10 + text[1] < '2' * 10 + '4' && text[3] < '6';
}

bool
hours_read(const char *text, uint16_t *ret_opens, uint16_t *ret_closes)
{
	return strlen(text) == 11 && text[5] == '-' && read_time(text, ret_opens) &&
	    read_time(text + 6, ret_closes) && *ret_opens != *ret_closes;
}
