/*
 * Merkle proofs of RFC 6962 §2.1.1 and §2.1.2, made from stored hashes and checked without them.
 *
 * Making follows the definition: a range of leaves is split at the largest power of two below its length, the
 * half that holds what is to be proven is walked into, the hash over the other half is a line of the proof. A
 * half always begins at a multiple of its largest subtree, so its hash comes from full subtrees; and of
 * those, each is the fold of at most 128 hashes of the stored level below it. So a proof costs as many
 * reads as it has lines, or a few more at the right edge.
 *
 * Checking is that of RFC 9162 §2.1.3.2 and §2.1.4.2: one walk from the leaf up, in which the bits of index
 * and size say on which side each line of the proof stands.
 */
#include <stdio.h>
#include <string.h>

#include "ledger/evidence.h"

#define GROUP_BITS 8 /* a stored level is 8 levels of the tree above the one before it */
#define READ_MAX   256u

/* --- reading ---------------------------------------------------------------------------------- */

/* Appends the full subtree of 2^bits leaves at index (in such subtrees) to tree. */
static enum az_status
append_node(const struct hash_source *source, unsigned int bits, uint64_t index, struct tree *tree,
    struct az_err *reterr)
{
	unsigned int level = bits / GROUP_BITS;
	struct tree part = {0};
	uint8_t hashes[READ_MAX * TREE_HASH_SIZE];
	uint8_t hash[TREE_HASH_SIZE];
	uint64_t count;

	if (level >= source->levels)
		level = source->levels - 1;
	count = (uint64_t)1 << (bits - level * GROUP_BITS);
	for (uint64_t done = 0; done < count;) {
		size_t now = count - done < READ_MAX ? (size_t)(count - done) : READ_MAX;
		enum az_status status =
		    source->read(source->arg, level, index * count + done, now, hashes, reterr);

		if (status != AZ_OK)
			return status;
		for (size_t i = 0; i < now; i++)
			tree_append(&part, hashes + i * TREE_HASH_SIZE);
		done += now;
	}
	tree_root(&part, hash);
	tree_append_subtree(tree, bits, hash);
	return AZ_OK;
}

static unsigned int
top_bit(uint64_t number)
{
	unsigned int bit = 0;

	while (number >> bit > 1)
		bit++;
	return bit;
}

/* The hash over the leaves from first to before end; first is a multiple of the largest power of two in it. */
static enum az_status
range_hash(const struct hash_source *source, uint64_t first, uint64_t end,
    uint8_t ret_hash[TREE_HASH_SIZE], struct az_err *reterr)
{
	struct tree tree = {0};

	while (first < end) {
		unsigned int bits = top_bit(end - first);
		enum az_status status = append_node(source, bits, first >> bits, &tree, reterr);

		if (status != AZ_OK)
			return status;
		first += (uint64_t)1 << bits;
	}
	tree_root(&tree, ret_hash);
	return AZ_OK;
}

enum az_status
proof_root(const struct hash_source *source, uint64_t size, uint8_t ret_root[TREE_HASH_SIZE],
    struct az_err *reterr)
{
	return range_hash(source, 0, size, ret_root, reterr);
}

/* The largest power of two below a length of at least two. */
static uint64_t
split(uint64_t length)
{
	return (uint64_t)1 << top_bit(length - 1);
}

/* The lines were found from the root down. */
static void
reverse(struct proof *proof)
{
	for (size_t i = 0; i < proof->count / 2; i++) {
		uint8_t hash[TREE_HASH_SIZE];
		uint8_t *low = proof->hashes[i];
		uint8_t *high = proof->hashes[proof->count - 1 - i];

		memcpy(hash, low, sizeof(hash));
		memcpy(low, high, sizeof(hash));
		memcpy(high, hash, sizeof(hash));
	}
}

enum az_status
proof_make_inclusion(const struct hash_source *source, uint64_t index, uint64_t size,
    struct proof *ret_proof, struct az_err *reterr)
{
	uint64_t first = 0;
	uint64_t end = size;

	if (index >= size || size > INT64_MAX)
		return az_fail(reterr, AZ_INVALID, "proof: there is no entry %llu among %llu",
		    (unsigned long long)index, (unsigned long long)size);
	ret_proof->count = 0;
	while (end - first > 1) {
		uint64_t middle = first + split(end - first);
		bool left = index < middle;
		enum az_status status = range_hash(source, left ? middle : first,
		    left ? end : middle, ret_proof->hashes[ret_proof->count++], reterr);

		if (status != AZ_OK)
			return status;
		if (left)
			end = middle;
		else
			first = middle;
	}
	reverse(ret_proof);
	return AZ_OK;
}

enum az_status
proof_make_consistency(const struct hash_source *source, uint64_t old_size, uint64_t size,
    struct proof *ret_proof, struct az_err *reterr)
{
	uint64_t first = 0;
	uint64_t end = size;
	enum az_status status = AZ_OK;

	if (old_size > size || size > INT64_MAX)
		return az_fail(reterr, AZ_INVALID, "proof: %llu entries are not part of %llu",
		    (unsigned long long)old_size, (unsigned long long)size);
	ret_proof->count = 0;
	if (old_size == 0 || old_size == size)
		return AZ_OK;
	/* Down to the subtree whose end is that of the old tree. */
	while (old_size != end && status == AZ_OK) {
		uint64_t middle = first + split(end - first);
		bool left = old_size <= middle;

		status = range_hash(source, left ? middle : first, left ? end : middle,
		    ret_proof->hashes[ret_proof->count++], reterr);
		if (left)
			end = middle;
		else
			first = middle;
	}
	/* If that is the whole old tree, its hash is the old root, which whoever checks has. */
	if (status == AZ_OK && first > 0)
		status =
		    range_hash(source, first, end, ret_proof->hashes[ret_proof->count++], reterr);
	reverse(ret_proof);
	return status;
}

/* --- checking --------------------------------------------------------------------------------- */

static bool
hashes_equal(const uint8_t a[TREE_HASH_SIZE], const uint8_t b[TREE_HASH_SIZE])
{
	return bytes_equal(bytes_make(a, TREE_HASH_SIZE), bytes_make(b, TREE_HASH_SIZE));
}

bool
proof_check_inclusion(const struct proof *proof, uint64_t index, uint64_t size,
    const uint8_t leaf[TREE_HASH_SIZE], const uint8_t root[TREE_HASH_SIZE])
{
	uint64_t at = index;
	uint64_t last = size - 1;
	uint8_t hash[TREE_HASH_SIZE];

	if (index >= size || proof->count > PROOF_MAX)
		return false;
	memcpy(hash, leaf, sizeof(hash));
	for (size_t i = 0; i < proof->count; i++) {
		if (last == 0)
			return false;
		if ((at & 1) != 0 || at == last) {
			tree_node(proof->hashes[i], hash, hash);
			/* At the right edge, levels without a sibling are passed over. */
			for (; (at & 1) == 0 && at != 0; at >>= 1)
				last >>= 1;
		} else {
			tree_node(hash, proof->hashes[i], hash);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && hashes_equal(hash, root);
}

bool
proof_check_consistency(const struct proof *proof, uint64_t old_size,
    const uint8_t old_root[TREE_HASH_SIZE], uint64_t size, const uint8_t root[TREE_HASH_SIZE])
{
	uint64_t at = old_size - 1;
	uint64_t last = size - 1;
	uint8_t old_hash[TREE_HASH_SIZE];
	uint8_t hash[TREE_HASH_SIZE];
	size_t used = 0;

	if (old_size > size || proof->count > PROOF_MAX)
		return false;
	if (old_size == 0) {
		tree_root(&(struct tree){0}, hash);
		return proof->count == 0 && hashes_equal(hash, old_root) &&
		    (size > 0 || hashes_equal(hash, root));
	}
	if (old_size == size)
		return proof->count == 0 && hashes_equal(old_root, root);
	for (; (at & 1) != 0; at >>= 1)
		last >>= 1;
	/* What is left of the old tree begins with its own root if it is one full subtree. */
	if (at == 0)
		memcpy(hash, old_root, sizeof(hash));
	else if (proof->count == 0)
		return false;
	else
		memcpy(hash, proof->hashes[used++], sizeof(hash));
	memcpy(old_hash, hash, sizeof(hash));
	for (; used < proof->count; used++) {
		const uint8_t *line = proof->hashes[used];

		if (last == 0)
			return false;
		if ((at & 1) != 0 || at == last) {
			tree_node(line, old_hash, old_hash);
			tree_node(line, hash, hash);
			for (; (at & 1) == 0 && at != 0; at >>= 1)
				last >>= 1;
		} else {
			tree_node(hash, line, hash);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && hashes_equal(old_hash, old_root) && hashes_equal(hash, root);
}

/* --- text ------------------------------------------------------------------------------------- */

enum az_status
proof_lines_write(const struct proof *proof, struct buffer *buffer)
{
	enum az_status status = AZ_OK;

	for (size_t i = 0; i < proof->count && status == AZ_OK; i++) {
		status = base64_encode(bytes_make(proof->hashes[i], TREE_HASH_SIZE), buffer);
		if (status == AZ_OK)
			status = buffer_append(buffer, bytes_of("\n"));
	}
	return status == AZ_OK ? buffer_append(buffer, bytes_of("\n")) : status;
}

bool
proof_lines_read(struct bytes *rest, size_t max, struct proof *ret_proof)
{
	struct bytes line;

	ret_proof->count = 0;
	while (evidence_line(rest, &line)) {
		if (line.size == 0)
			return true;
		if (ret_proof->count == max || ret_proof->count == PROOF_MAX ||
		    !evidence_hash(line, ret_proof->hashes[ret_proof->count]))
			return false;
		ret_proof->count++;
	}
	return false;
}

enum az_status
proof_file_write(uint64_t index, const struct proof *proof, struct bytes entry,
    struct bytes checkpoint, struct buffer *buffer)
{
	char number[64];
	enum az_status status = buffer_append(buffer, bytes_of(PROOF_FILE_START));

	(void)snprintf(number, sizeof(number), "\nindex %llu\n", (unsigned long long)index);
	if (status == AZ_OK)
		status = buffer_append(buffer, bytes_of("\nextra "));
	if (status == AZ_OK)
		status = base64_encode(entry, buffer);
	if (status == AZ_OK)
		status = buffer_append(buffer, bytes_of(number));
	if (status == AZ_OK)
		status = proof_lines_write(proof, buffer);
	return status == AZ_OK ? buffer_append(buffer, checkpoint) : status;
}

/* Whether line begins with word and a space; what follows goes to *ret_rest. */
static bool
line_has(struct bytes line, const char *word, struct bytes *ret_rest)
{
	size_t size = strlen(word);

	if (line.size <= size || line.data[size] != ' ' ||
	    !bytes_equal(bytes_make(line.data, size), bytes_of(word)))
		return false;
	*ret_rest = bytes_make(line.data + size + 1, line.size - size - 1);
	return true;
}

enum az_status
proof_file_read(struct bytes bytes, struct proof_file *ret_file, struct az_err *reterr)
{
	struct bytes rest = bytes;
	struct bytes line, number;
	struct proof_file file = {0};

	if (bytes.size > PROOF_FILE_MAX)
		return az_fail(reterr, AZ_CORRUPT, "proof: longer than %u bytes", PROOF_FILE_MAX);
	if (!evidence_line(&rest, &line) || !bytes_equal(line, bytes_of(PROOF_FILE_START)))
		return az_fail(
		    reterr, AZ_CORRUPT, "proof: it does not begin with %s", PROOF_FILE_START);
	if (!evidence_line(&rest, &line))
		return az_fail(reterr, AZ_CORRUPT, "proof: cut short");
	if (line_has(line, "extra", &file.extra) && !evidence_line(&rest, &line))
		return az_fail(reterr, AZ_CORRUPT, "proof: cut short");
	if (!line_has(line, "index", &number) || !evidence_number(number, &file.index))
		return az_fail(reterr, AZ_CORRUPT, "proof: it has no index");
	if (!proof_lines_read(&rest, PROOF_MAX, &file.proof))
		return az_fail(reterr, AZ_CORRUPT, "proof: its lines are no hashes");
	file.checkpoint = rest;
	*ret_file = file;
	return AZ_OK;
}
