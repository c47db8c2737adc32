/*
 * secret/host, and secret/slots as far as the two are replaced together (docs/format/keys.md).
 *
 *	slots.next: a MAC under the new secret, the new slots ─► host: the commit ─► slots ─► slots.next goes
 *
 * Nobody has a passphrase at that moment, so the MAC tells after a crash whether slots.next belongs to the secret that is kept.
 */
#include "cli/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "crypto/slots.h"

#define HOST_MAGIC "AZHOST\0"
#define FORMAT_ONE 1u /* one part */
#define FORMAT     2u

/* Builds for tests only: the parent ends here if secret/test-die names the step. */
#ifdef AZ_TESTABLE
static void
may_die(int dirfd, const char *step)
{
	struct buffer file;

	buffer_init(&file, 64, false);
	if (file_read_whole(dirfd, "test-die", &file, NULL) == AZ_OK &&
	    bytes_equal(buffer_peek(&file), bytes_of(step)))
		_exit(1);
	buffer_fini(&file);
}
#else
static void
may_die(int dirfd, const char *step)
{
	(void)dirfd;
	(void)step;
}
#endif

/* --- the secret ------------------------------------------------------------------------------- */

enum az_status
host_secret_new(struct host_secret *ret_host, struct az_err *reterr)
{
	struct host_secret host = {0};
	enum az_status status = secret_random(HOST_PART_SIZE, &host.slots, reterr);

	if (status == AZ_OK)
		status = secret_random(HOST_PART_SIZE, &host.ring, reterr);
	if (status == AZ_OK)
		*ret_host = host;
	else
		host_secret_fini(&host);
	return status;
}

void
host_secret_fini(struct host_secret *host)
{
	secret_free(&host->slots);
	secret_free(&host->ring);
}

static void
encode(const uint8_t house[HOUSE_ID_SIZE], const struct host_secret *host,
    uint8_t data[HOST_FILE_SIZE])
{
	struct file_header header = {.magic = HOST_MAGIC, .format = FORMAT};

	memcpy(header.house, house, HOUSE_ID_SIZE);
	file_header_encode(&header, data);
	memcpy(data + FILE_HEADER_SIZE, secret_peek(host->slots).data, HOST_PART_SIZE);
	memcpy(
	    data + FILE_HEADER_SIZE + HOST_PART_SIZE, secret_peek(host->ring).data, HOST_PART_SIZE);
}

enum az_status
host_secret_create(int secret_dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct host_secret *host, struct az_err *reterr)
{
	uint8_t data[HOST_FILE_SIZE];
	enum az_status status;

	encode(house, host, data);
	status = file_create(secret_dirfd, "host", bytes_make(data, sizeof(data)), 0600, reterr);
	az_wipe(data, sizeof(data));
	return status;
}

static enum az_status
decode(struct bytes bytes, const uint8_t house[HOUSE_ID_SIZE], struct host_secret *ret_host,
    struct az_err *reterr)
{
	bool whole = bytes.size == HOST_FILE_SIZE;
	struct file_header expected = {.magic = HOST_MAGIC, .format = whole ? FORMAT : FORMAT_ONE};
	struct host_secret host = {0};
	enum az_status status;

	if (!whole && bytes.size != HOST_FILE_SIZE - HOST_PART_SIZE)
		return az_fail(reterr, AZ_CORRUPT, "host secret: it has a wrong size");
	memcpy(expected.house, house, HOUSE_ID_SIZE);
	status = file_header_check(bytes.data, &expected, "host secret", reterr);
	if (status == AZ_OK)
		status = secret_new(HOST_PART_SIZE, &host.slots, reterr);
	if (status == AZ_OK)
		status = secret_new(HOST_PART_SIZE, &host.ring, reterr);
	if (status != AZ_OK) {
		host_secret_fini(&host);
		return status;
	}
	memcpy(secret_data(host.slots), bytes.data + FILE_HEADER_SIZE, HOST_PART_SIZE);
	memcpy(secret_data(host.ring), bytes.data + FILE_HEADER_SIZE + (whole ? HOST_PART_SIZE : 0),
	    HOST_PART_SIZE);
	*ret_host = host;
	return AZ_OK;
}

enum az_status
host_secret_read(int secret_dirfd, const uint8_t house[HOUSE_ID_SIZE], struct host_secret *ret_host,
    struct az_err *reterr)
{
	struct buffer bytes;
	enum az_status status;

	buffer_init(&bytes, 256, true);
	status = file_read_whole(secret_dirfd, "host", &bytes, reterr);
	if (status == AZ_OK)
		status = decode(buffer_peek(&bytes), house, ret_host, reterr);
	buffer_fini(&bytes);
	return status;
}

/* --- with the slots --------------------------------------------------------------------------- */

static enum az_status
slots_mac(const uint8_t house[HOUSE_ID_SIZE], const struct host_secret *host, struct bytes slots,
    uint8_t ret_mac[SHA256_SIZE], struct az_err *reterr)
{
	struct secret *key = NULL;
	struct mac *mac = NULL;
	enum az_status status = kdf_derive(host->slots, house, "slots-next", 0, &key, reterr);

	if (status == AZ_OK)
		status = mac_new(secret_peek(key), &mac, reterr);
	if (status == AZ_OK)
		mac_compute(mac, &slots, 1, ret_mac);
	mac_free(&mac);
	secret_free(&key);
	return status;
}

static enum az_status
write_next(int secret_dirfd, const uint8_t house[HOUSE_ID_SIZE], const struct host_secret *next,
    struct bytes slots, struct az_err *reterr)
{
	uint8_t mac[SHA256_SIZE];
	struct buffer file;
	enum az_status status = slots_mac(house, next, slots, mac, reterr);

	buffer_init(&file, SHA256_SIZE + SLOTS_FILE_MAX, true);
	if (status == AZ_OK)
		status = buffer_append(&file, bytes_make(mac, sizeof(mac)));
	if (status == AZ_OK)
		status = buffer_append(&file, slots);
	if (status == AZ_OK)
		status = file_replace(secret_dirfd, "slots.next", buffer_peek(&file), 0600, reterr);
	else
		(void)az_fail(reterr, status, "slots: they cannot be written");
	buffer_fini(&file);
	return status;
}

static enum az_status
drop_next(int secret_dirfd, struct az_err *reterr)
{
	if (unlinkat(secret_dirfd, "slots.next", 0) != 0 && errno != ENOENT)
		return az_fail_errno(reterr, AZ_IO, errno, "secret/slots.next");
	return fsync(secret_dirfd) == 0 ? AZ_OK : az_fail_errno(reterr, AZ_IO, errno, "secret");
}

enum az_status
host_slots_recover(int secret_dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct host_secret *host, struct az_err *reterr)
{
	uint8_t mac[SHA256_SIZE];
	struct buffer file;
	struct bytes slots;
	enum az_status status;

	buffer_init(&file, SHA256_SIZE + SLOTS_FILE_MAX, true);
	status = file_read_whole(secret_dirfd, "slots.next", &file, reterr);
	if (status == AZ_NOT_FOUND) {
		status = AZ_OK;
		goto out;
	}
	if (status == AZ_OK && file.size > SHA256_SIZE) {
		slots = bytes_make(file.data + SHA256_SIZE, file.size - SHA256_SIZE);
		status = slots_mac(house, host, slots, mac, reterr);
		if (status == AZ_OK &&
		    bytes_equal(bytes_make(mac, sizeof(mac)), bytes_make(file.data, sizeof(mac))))
			status = file_replace(secret_dirfd, "slots", slots, 0600, reterr);
	}
	if (status == AZ_OK)
		status = drop_next(secret_dirfd, reterr);
out:
	buffer_fini(&file);
	return status;
}

bool
host_slots_are_pending(int secret_dirfd)
{
	return faccessat(secret_dirfd, "slots.next", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- replacing -------------------------------------------------------------------------------- */

/* Whether the file has exactly these bytes. */
static bool
is_kept(int secret_dirfd, const uint8_t data[HOST_FILE_SIZE])
{
	struct buffer bytes;
	bool kept;

	buffer_init(&bytes, 256, true);
	kept = file_read_whole(secret_dirfd, "host", &bytes, NULL) != AZ_OK ||
	    bytes_equal(buffer_peek(&bytes), bytes_make(data, HOST_FILE_SIZE));
	buffer_fini(&bytes);
	return kept;
}

enum az_status
host_secret_replace(int secret_dirfd, const uint8_t house[HOUSE_ID_SIZE],
    const struct host_secret *next, struct bytes slots, bool *ret_kept, struct az_err *reterr)
{
	uint8_t data[HOST_FILE_SIZE];
	enum az_status status = AZ_OK;

	*ret_kept = false;
	may_die(secret_dirfd, "begin");
	if (slots.size > 0)
		status = write_next(secret_dirfd, house, next, slots, reterr);
	may_die(secret_dirfd, "next");
	if (status != AZ_OK)
		return status;
	encode(house, next, data);
	status = file_replace(secret_dirfd, "host", bytes_make(data, sizeof(data)), 0600, reterr);
	may_die(secret_dirfd, "host");
	*ret_kept = status == AZ_OK || is_kept(secret_dirfd, data);
	az_wipe(data, sizeof(data));
	if (status == AZ_OK && slots.size > 0)
		status = file_replace(secret_dirfd, "slots", slots, 0600, reterr);
	may_die(secret_dirfd, "slots");
	if (status == AZ_OK && slots.size > 0)
		status = drop_next(secret_dirfd, reterr);
	return status;
}
