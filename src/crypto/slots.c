/*
 * HOUSE/secret/slots (docs/format/keys.md).
 *
 *   offset size
 *   0      32   file header, magic "AZSLOT"
 *   32     4    kind, 2
 *   36     4    size of what follows
 *   40     4    needed, count, scrypt's log2 N, zero
 *   44     n    each holder: label 32, salt 16, sealed share 72
 *   …      72   sealed root key
 *
 *	passphrase ─ scrypt(salt) ─┐
 *	host secret ───────────────┴─ HKDF "slot-share" ─► opens a share ─┐ any needed
 *	                                      …                           ├─► slot key ─┐
 *	host secret ──────────────────────────────────────────────────────┴─────────────┴─ HKDF "slot-root" ─► opens the root key
 *
 * A share is sealed with everything before the shares, and with its holder's place, label and salt, as associated data;
 * the root key with the whole file before it. So nothing in it can be exchanged for something of another file.
 */
#include "crypto/slots.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "crypto/ring.h"
#include "crypto/seal.h"
#include "crypto/sign.h"

#define HEAD_SIZE   (FILE_HEADER_SIZE + 8u)
#define START_SIZE  (HEAD_SIZE + 4u)
#define SALT_SIZE   16u
#define SEALED_SIZE (SHARE_SIZE + SEAL_OVERHEAD)
#define HOLDER_SIZE (SLOTS_LABEL_SIZE + SALT_SIZE + SEALED_SIZE)
#define SCRYPT_R    8u
#define SCRYPT_P    1u

struct holder {
	char label[SLOTS_LABEL_SIZE];
	uint8_t salt[SALT_SIZE];
	uint8_t sealed[SEALED_SIZE];
	bool given;
};

struct slots {
	uint8_t house[HOUSE_ID_SIZE];
	struct buffer file;
	unsigned int needed, count, cost, given;
	struct holder holders[SHARES_MAX];
	struct secret *shares; /* count of SHARE_SIZE, of those that were given */
};

/* --- keys ------------------------------------------------------------------------------------- */

/* A key out of a secret and the host secret, for one use and number. */
static enum az_status
derive(struct bytes secret, const struct secret *host, const uint8_t house[HOUSE_ID_SIZE],
    const char *label, unsigned int number, struct seal_key **ret_key, struct az_err *reterr)
{
	struct bytes hosts = secret_peek(host);
	struct secret *both = NULL;
	struct secret *key = NULL;
	enum az_status status = secret_new(secret.size + hosts.size, &both, reterr);

	if (status == AZ_OK) {
		memcpy(secret_data(both), secret.data, secret.size);
		memcpy(secret_data(both) + secret.size, hosts.data, hosts.size);
		status = kdf_derive(both, house, label, number, &key, reterr);
	}
	if (status == AZ_OK)
		status = seal_key_new(secret_peek(key), ret_key, reterr);
	secret_free(&both);
	secret_free(&key);
	return status;
}

/* The key of the share at place of a holder. */
static enum az_status
share_key(struct bytes passphrase, const uint8_t salt[SALT_SIZE], unsigned int cost,
    const struct secret *host, const uint8_t house[HOUSE_ID_SIZE], unsigned int place,
    struct seal_key **ret_key, struct az_err *reterr)
{
	uint64_t n = UINT64_C(1) << cost;
	struct secret *stretched = NULL;
	enum az_status status = secret_new(KEY_SIZE, &stretched, reterr);

	if (status != AZ_OK)
		return status;
	/* 128 N r bytes, and some; what memory there is, is for the operating system to say. */
	if (EVP_PBE_scrypt((const char *)passphrase.data, passphrase.size, salt, SALT_SIZE, n,
		SCRYPT_R, SCRYPT_P, 2u * 128u * SCRYPT_R * n, secret_data(stretched),
		KEY_SIZE) != 1)
		status = az_fail(reterr, AZ_NO_MEMORY, "passphrase: there is no memory for it");
	else
		status = derive(
		    secret_peek(stretched), host, house, "slot-share", place, ret_key, reterr);
	secret_free(&stretched);
	return status;
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum az_status
check_holders(const uint8_t house[HOUSE_ID_SIZE], const struct slot_holder *holders,
    unsigned int count, unsigned int needed, unsigned int cost, struct az_err *reterr)
{
	if (house_is_unsealed(house))
		return az_fail(reterr, AZ_INVALID, "slots: an unsealed house has none");
	if (count == 0 || count > SHARES_MAX || needed == 0 || needed > count ||
	    cost < SLOTS_COST_LEAST || cost > SLOTS_COST_MOST)
		return az_fail(reterr, AZ_INVALID, "slots: %u of %u cannot be", needed, count);
	for (unsigned int i = 0; i < count; i++) {
		const struct slot_holder *holder = &holders[i];
		size_t size = strnlen(holder->label, sizeof(holder->label));

		if (size == 0 || size == sizeof(holder->label))
			return az_fail(reterr, AZ_INVALID, "slots: a holder has no label");
		if (holder->passphrase.size < SLOTS_PASSPHRASE_MIN ||
		    holder->passphrase.size > SLOTS_PASSPHRASE_MAX)
			return az_fail(reterr, AZ_INVALID,
			    "the passphrase of %s needs %u bytes at least", holder->label,
			    SLOTS_PASSPHRASE_MIN);
		for (unsigned int j = 0; j < i; j++) {
			if (strcmp(holders[j].label, holder->label) == 0)
				return az_fail(
				    reterr, AZ_INVALID, "slots: %s is there twice", holder->label);
		}
	}
	return AZ_OK;
}

/* Label and salt of a holder, then their share, sealed with the start of the file and those. */
static enum az_status
put_holder(const uint8_t house[HOUSE_ID_SIZE], const struct secret *host,
    const struct slot_holder *holder, unsigned int place, unsigned int cost,
    const uint8_t share[SHARE_SIZE], uint8_t *file, size_t at, struct az_err *reterr)
{
	uint8_t associated[START_SIZE + SLOTS_LABEL_SIZE + SALT_SIZE];
	struct seal_key *key = NULL;
	enum az_status status;

	memcpy(file + at, holder->label, strlen(holder->label));
	random_bytes(file + at + SLOTS_LABEL_SIZE, SALT_SIZE);
	memcpy(associated, file, START_SIZE);
	memcpy(associated + START_SIZE, file + at, SLOTS_LABEL_SIZE + SALT_SIZE);
	status = share_key(holder->passphrase, file + at + SLOTS_LABEL_SIZE, cost, host, house,
	    place, &key, reterr);
	if (status == AZ_OK)
		status = seal(key, bytes_make(associated, sizeof(associated)),
		    bytes_make(share, SHARE_SIZE), file + at + SLOTS_LABEL_SIZE + SALT_SIZE,
		    reterr);
	seal_key_free(&key);
	return status;
}

/* Everything behind the head, into file. */
static enum az_status
put_all(const uint8_t house[HOUSE_ID_SIZE], const struct secret *root, const struct secret *host,
    const struct slot_holder *holders, unsigned int count, unsigned int cost,
    const struct secret *parts, uint8_t *file, struct az_err *reterr)
{
	const uint8_t *shares = secret_peek(parts).data + SHARE_SIZE;
	struct seal_key *key = NULL;
	size_t at = START_SIZE;
	enum az_status status = AZ_OK;

	for (unsigned int i = 0; i < count && status == AZ_OK; i++, at += HOLDER_SIZE)
		status = put_holder(
		    house, host, &holders[i], i, cost, shares + i * SHARE_SIZE, file, at, reterr);
	if (status == AZ_OK)
		status = derive(bytes_make(secret_peek(parts).data, SHARE_SIZE), host, house,
		    "slot-root", 0, &key, reterr);
	if (status == AZ_OK)
		status = seal(key, bytes_make(file, at), secret_peek(root), file + at, reterr);
	seal_key_free(&key);
	return status;
}

enum az_status
slots_encode(const uint8_t house[HOUSE_ID_SIZE], const struct secret *root,
    const struct secret *host, const struct slot_holder *holders, unsigned int count,
    unsigned int needed, unsigned int cost, struct buffer *buffer, struct az_err *reterr)
{
	struct file_header header = {.magic = "AZSLOT", .format = 1};
	uint8_t file[SLOTS_FILE_MAX] = {0};
	size_t size = START_SIZE + count * HOLDER_SIZE + SEALED_SIZE;
	struct secret *parts = NULL; /* the slot key, then the shares */
	enum az_status status = check_holders(house, holders, count, needed, cost, reterr);

	if (status == AZ_OK)
		status = secret_new((SHARES_MAX + 1) * SHARE_SIZE, &parts, reterr);
	if (status != AZ_OK)
		return status;
	memcpy(header.house, house, HOUSE_ID_SIZE);
	file_header_encode(&header, file);
	wire_store_u32(file + FILE_HEADER_SIZE, SLOT_PASSPHRASE);
	wire_store_u32(file + FILE_HEADER_SIZE + 4, (uint32_t)(size - HEAD_SIZE));
	file[HEAD_SIZE] = (uint8_t)needed;
	file[HEAD_SIZE + 1] = (uint8_t)count;
	file[HEAD_SIZE + 2] = (uint8_t)cost;
	random_bytes(secret_data(parts), SHARE_SIZE);
	shares_split(secret_data(parts), needed, count, secret_data(parts) + SHARE_SIZE);
	status = put_all(house, root, host, holders, count, cost, parts, file, reterr);
	if (status == AZ_OK)
		status = buffer_append(buffer, bytes_make(file, size));
	secret_free(&parts);
	return status;
}

/* --- opening ---------------------------------------------------------------------------------- */

void
slots_free(struct slots **slots)
{
	if (*slots == NULL)
		return;
	secret_free(&(*slots)->shares);
	buffer_fini(&(*slots)->file);
	free(*slots);
	*slots = NULL;
}

/* The members behind the start; false if they are none. */
static bool
read_holders(struct slots *slots, struct wire_reader *reader)
{
	for (unsigned int i = 0; i < slots->count; i++) {
		struct holder *holder = &slots->holders[i];
		size_t size;

		wire_get_raw(reader, holder->label, sizeof(holder->label));
		wire_get_raw(reader, holder->salt, sizeof(holder->salt));
		wire_get_raw(reader, holder->sealed, sizeof(holder->sealed));
		size = strnlen(holder->label, sizeof(holder->label));
		if (reader->failed || size == 0 || size == sizeof(holder->label))
			return false;
	}
	return true;
}

static enum az_status
decode(struct slots *slots, struct bytes file, struct az_err *reterr)
{
	struct file_header expected = {.magic = "AZSLOT", .format = 1};
	struct wire_reader reader;
	struct bytes start;
	uint32_t kind, size;
	enum az_status status;

	memcpy(expected.house, slots->house, HOUSE_ID_SIZE);
	wire_reader_init(&reader, file);
	start = wire_take(&reader, FILE_HEADER_SIZE);
	kind = wire_get_u32(&reader);
	size = wire_get_u32(&reader);
	slots->needed = wire_get_u8(&reader);
	slots->count = wire_get_u8(&reader);
	slots->cost = wire_get_u8(&reader);
	if (wire_get_u8(&reader) != 0 || reader.failed)
		return az_fail(reterr, AZ_CORRUPT, "slots: the file is cut short");
	status = file_header_check(start.data, &expected, "slots", reterr);
	if (status != AZ_OK)
		return status;
	if (kind != SLOT_PASSPHRASE || size != file.size - HEAD_SIZE || slots->count == 0 ||
	    slots->count > SHARES_MAX || slots->needed == 0 || slots->needed > slots->count ||
	    slots->cost < SLOTS_COST_LEAST || slots->cost > SLOTS_COST_MOST ||
	    !read_holders(slots, &reader))
		return az_fail(reterr, AZ_CORRUPT, "slots: the file is damaged");
	(void)wire_take(&reader, SEALED_SIZE);
	if (!wire_end(&reader))
		return az_fail(reterr, AZ_CORRUPT, "slots: the file has a wrong size");
	return AZ_OK;
}

enum az_status
slots_new(struct bytes file, const uint8_t house[HOUSE_ID_SIZE], struct slots **ret_slots,
    struct az_err *reterr)
{
	struct slots *slots = calloc(1, sizeof(*slots));
	enum az_status status;

	if (slots == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "slots: out of memory");
	memcpy(slots->house, house, HOUSE_ID_SIZE);
	buffer_init(&slots->file, SLOTS_FILE_MAX, false);
	status = decode(slots, file, reterr);
	if (status == AZ_OK && buffer_append(&slots->file, file) != AZ_OK)
		status = az_fail(reterr, AZ_NO_MEMORY, "slots: out of memory");
	if (status == AZ_OK)
		status = secret_new(SHARES_MAX * SHARE_SIZE, &slots->shares, reterr);
	if (status == AZ_OK)
		*ret_slots = slots;
	else
		slots_free(&slots);
	return status;
}

unsigned int
slots_needed(const struct slots *slots)
{
	return slots->needed;
}

unsigned int
slots_count(const struct slots *slots)
{
	return slots->count;
}

unsigned int
slots_given(const struct slots *slots)
{
	return slots->given;
}

const char *
slots_label(const struct slots *slots, unsigned int at)
{
	return slots->holders[at].label;
}

void
slots_forget(struct slots *slots)
{
	az_wipe(secret_data(slots->shares), SHARES_MAX * SHARE_SIZE);
	for (unsigned int i = 0; i < slots->count; i++)
		slots->holders[i].given = false;
	slots->given = 0;
}

static struct holder *
holder_of(struct slots *slots, const char *label, unsigned int *ret_place)
{
	for (unsigned int i = 0; i < slots->count; i++) {
		if (strcmp(slots->holders[i].label, label) == 0) {
			*ret_place = i;
			return &slots->holders[i];
		}
	}
	return NULL;
}

enum az_status
slots_give(struct slots *slots, const struct secret *host, const char *label,
    struct bytes passphrase, struct az_err *reterr)
{
	uint8_t associated[START_SIZE + SLOTS_LABEL_SIZE + SALT_SIZE];
	struct seal_key *key = NULL;
	unsigned int place = 0;
	struct holder *holder = holder_of(slots, label, &place);
	enum az_status status;

	if (holder != NULL && holder->given)
		return az_fail(
		    reterr, AZ_CONFLICT, "the passphrase of %s was given already", label);
	if (holder == NULL || passphrase.size < SLOTS_PASSPHRASE_MIN ||
	    passphrase.size > SLOTS_PASSPHRASE_MAX)
		return az_fail(reterr, AZ_DENIED, "this passphrase opens nothing");
	memcpy(associated, slots->file.data, START_SIZE);
	memcpy(associated + START_SIZE, holder->label, SLOTS_LABEL_SIZE);
	memcpy(associated + START_SIZE + SLOTS_LABEL_SIZE, holder->salt, SALT_SIZE);
	status = share_key(
	    passphrase, holder->salt, slots->cost, host, slots->house, place, &key, reterr);
	if (status == AZ_OK)
		status = seal_open(key, bytes_make(associated, sizeof(associated)),
		    bytes_make(holder->sealed, SEALED_SIZE),
		    secret_data(slots->shares) + place * SHARE_SIZE, reterr);
	seal_key_free(&key);
	if (status == AZ_FORGED)
		return az_fail(reterr, AZ_DENIED, "this passphrase opens nothing");
	if (status == AZ_OK) {
		holder->given = true;
		slots->given++;
	}
	return status;
}

/* The slot key out of the shares that were given. */
static enum az_status
join(const struct slots *slots, struct secret *ret_key)
{
	const struct bytes all = secret_peek(slots->shares);
	struct secret *chosen = NULL;
	uint8_t points[SHARES_MAX];
	unsigned int count = 0;
	enum az_status status = secret_new(SHARES_MAX * SHARE_SIZE, &chosen, NULL);

	for (unsigned int i = 0; status == AZ_OK && i < slots->count && count < slots->needed;
	     i++) {
		if (!slots->holders[i].given)
			continue;
		memcpy(secret_data(chosen) + count * SHARE_SIZE, all.data + i * SHARE_SIZE,
		    SHARE_SIZE);
		points[count++] = (uint8_t)(i + 1);
	}
	if (status == AZ_OK)
		status = shares_join(points, secret_peek(chosen).data, count, secret_data(ret_key));
	secret_free(&chosen);
	return status;
}

enum az_status
slots_root(const struct slots *slots, const struct secret *host, struct secret **ret_root,
    struct az_err *reterr)
{
	size_t at = slots->file.size - SEALED_SIZE;
	struct secret *slot_key = NULL;
	struct secret *root = NULL;
	struct seal_key *key = NULL;
	enum az_status status;

	if (slots->given < slots->needed)
		return az_fail(reterr, AZ_BUSY, "%u of %u passphrases were given", slots->given,
		    slots->needed);
	status = secret_new(SHARE_SIZE, &slot_key, reterr);
	if (status == AZ_OK)
		status = secret_new(KEY_SIZE, &root, reterr);
	if (status == AZ_OK)
		status = join(slots, slot_key);
	if (status == AZ_OK)
		status =
		    derive(secret_peek(slot_key), host, slots->house, "slot-root", 0, &key, reterr);
	if (status == AZ_OK)
		status = seal_open(key, bytes_make(slots->file.data, at),
		    bytes_make(slots->file.data + at, SEALED_SIZE), secret_data(root), reterr);
	seal_key_free(&key);
	secret_free(&slot_key);
	if (status == AZ_OK)
		*ret_root = root;
	else
		secret_free(&root);
	if (status == AZ_FORGED)
		return az_fail(reterr, AZ_FORGED, "slots: the file was changed");
	return status;
}
