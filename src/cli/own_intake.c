#include "cli/own_intake.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/wire.h"
#include "cli/parent.h"
#include "cli/program.h"

/* Its socket and pid; the other end of the socket is ours. */
static enum az_status
spawn(int fd, struct own_intake *intake, int *ret_socket, struct az_err *reterr)
{
	struct house_users users;
	int pair[2] = {-1, -1};
	int tables_fd = -1;
	enum az_status status = house_users_find(true, &users, reterr);

	if (status == AZ_OK)
		status = program_open_tables(&tables_fd, &intake->has_tables, reterr);
	if (status == AZ_OK)
		status = proc_socketpair(pair, reterr);
	if (status == AZ_OK) {
		int fds[] = {pair[1], fd, tables_fd};

		status = parent_spawn("azukari-intake", "../intake", NULL, fds, AZ_ARRAY_SIZE(fds),
		    users.intake, &intake->pid, reterr);
	}
	if (tables_fd >= 0)
		(void)close(tables_fd);
	if (pair[1] >= 0)
		(void)close(pair[1]);
	if (status == AZ_OK)
		*ret_socket = pair[0];
	else if (pair[0] >= 0)
		(void)close(pair[0]);
	return status;
}

enum az_status
own_intake_start(
    struct own_intake *ret_intake, int fd, const struct intake_start *start, struct az_err *reterr)
{
	struct buffer body;
	struct wire_writer writer;
	int socket = -1;
	enum az_status status;

	*ret_intake = (struct own_intake){.pid = 0};
	status = spawn(fd, ret_intake, &socket, reterr);
	if (status != AZ_OK)
		return status;
	link_init(
	    &ret_intake->link, socket, LINK_BLOCKING, INTAKE_BODY_MAX, INTAKE_START_MAX + 64, true);
	buffer_init(&body, INTAKE_START_MAX, true);
	wire_writer_init(&writer, &body);
	intake_start_put(&writer, start);
	status = writer.status;
	if (status == AZ_OK)
		status = link_queue(&ret_intake->link, INTAKE_START, 0, buffer_peek(&body));
	if (status == AZ_OK)
		status = link_flush(&ret_intake->link, reterr);
	buffer_fini(&body);
	return status;
}

enum az_status
own_intake_error(struct bytes body, struct az_err *reterr)
{
	struct wire_reader reader;
	char text[AZ_ERR_TEXT_SIZE];
	uint8_t status;

	wire_reader_init(&reader, body);
	status = wire_get_u8(&reader);
	wire_get_text(&reader, text, sizeof(text));
	if (!wire_end(&reader) || status <= AZ_OK || status > AZ_GONE)
		return az_fail(reterr, AZ_INTERNAL, "intake did not say why it ended");
	return az_fail(reterr, (enum az_status)status, "%s", text);
}

void
own_intake_end(struct own_intake *intake)
{
	if (intake->pid == 0)
		return;
	link_fini(&intake->link);
	(void)waitpid(intake->pid, NULL, 0);
	intake->pid = 0;
}
