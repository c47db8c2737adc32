/*
 * The feeder: a thread that reads the list into intake, and tells what became of it.
 */
#include <string.h>

#include "base/file.h"
#include "base/proc.h"
#include "custody/bulk.h"

static bool
is_over(const void *arg)
{
	return bulk_is_over(arg);
}

struct reading_end
bulk_end(const struct bulk *bulk)
{
	return (struct reading_end){.is_over = is_over, .arg = bulk};
}

void *
bulk_feeder_run(void *arg)
{
	struct bulk *bulk = arg;
	struct reading_end end = bulk_end(bulk);
	uint8_t digest[SHA256_SIZE] = {0};
	struct az_err err = {0};
	enum az_status status;

	proc_give_way();
	status = reading_feed(
	    &end, bulk->list_fd, bulk->pipe_fd, bulk->custody->intake_identity, digest, &err);
	(void)pthread_mutex_lock(&bulk->lock);
	bulk->list_has_ended = true;
	bulk->list_status = status;
	bulk->list_err = err;
	memcpy(bulk->list_sha256, digest, sizeof(digest));
	(void)pthread_cond_broadcast(&bulk->changed);
	(void)pthread_mutex_unlock(&bulk->lock);
	/*
	 * The end of the pipe is the end of the list: so intake learns of it after whoever asks what became of
	 * the file has the answer.
	 */
	fd_close(&bulk->pipe_fd);
	loop_wake(bulk->custody->config.loop);
	return NULL;
}

enum az_status
bulk_wait_list(struct bulk *bulk, struct az_err *reterr)
{
	enum az_status status;

	(void)pthread_mutex_lock(&bulk->lock);
	while (!bulk->list_has_ended)
		(void)pthread_cond_wait(&bulk->changed, &bulk->lock);
	status = bulk->list_status;
	if (status != AZ_OK)
		*reterr = bulk->list_err;
	memcpy(bulk->consignment.sha256, bulk->list_sha256, SHA256_SIZE);
	(void)pthread_mutex_unlock(&bulk->lock);
	return status;
}

enum az_status
bulk_list_failed_first(struct bulk *bulk, enum az_status status, struct az_err *reterr)
{
	(void)pthread_mutex_lock(&bulk->lock);
	if (bulk->list_has_ended && bulk->list_status != AZ_OK && bulk->list_status != AZ_GONE) {
		status = bulk->list_status;
		*reterr = bulk->list_err;
	}
	(void)pthread_mutex_unlock(&bulk->lock);
	return status;
}
