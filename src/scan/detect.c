/*
 * What bytes are, by their first ones; never by a file's name, which whoever hides something chooses.
 */
#include <string.h>

#include "scan/unpack_internal.h"

struct signature {
	enum scan_format format;
	uint16_t at;
	uint8_t size;
	const char *bytes;
	bool in_image; /* files of this kind are looked for at the sectors of an image */
};

static const struct signature signatures[] = {
    {FORMAT_ZIP, 0, 4, "PK\x03\x04", true},
    {FORMAT_ZIP, 0, 8, "PK\x07\x08PK\x03\x04", false}, /* split, in one piece */
    {FORMAT_ZIP, 0, 4, "PK\x05\x06", false},           /* empty */
    {FORMAT_COMPRESSED, 0, 3, "\x1f\x8b\x08", true},
    {FORMAT_COMPRESSED, 0, 3, "BZh", false},
    {FORMAT_COMPRESSED, 0, 6,
	"\xfd"
	"7zXZ\0",
	true},
    {FORMAT_COMPRESSED, 0, 4, "\x28\xb5\x2f\xfd", true},
    {FORMAT_TAR, 257, 5, "ustar", false},
    {FORMAT_CPIO, 0, 5, "07070", false},
    {FORMAT_7Z, 0, 6, "7z\xbc\xaf\x27\x1c", true},
    {FORMAT_SQLITE, 0, 16, "SQLite format 3", true},
    {FORMAT_ENCRYPTED, 0, 6, "LUKS\xba\xbe", false},
    {FORMAT_ENCRYPTED, 3, 8, "-FVE-FS-", false}, /* BitLocker */
    {FORMAT_UNSUPPORTED, 0, 6, "Rar!\x1a\x07", false},
    {FORMAT_UNSUPPORTED, 0, 4, "MSCF", false},
    {FORMAT_UNSUPPORTED, 0, 4, "QFI\xfb", false},
    {FORMAT_UNSUPPORTED, 0, 4, "KDMV", false},
    {FORMAT_UNSUPPORTED, 0, 8, "conectix", false},
    {FORMAT_UNSUPPORTED, 0, 8, "vhdxfile", false},
};

/* Where file systems and tables of partitions have their marks. */
static const struct signature images[] = {
    {FORMAT_IMAGE, 510, 2, "\x55\xaa", false},  /* a table of partitions, FAT, exFAT, NTFS */
    {FORMAT_IMAGE, 1080, 2, "\x53\xef", false}, /* ext2, 3, 4 */
    {FORMAT_IMAGE, 0, 4, "XFSB", false},        /* XFS */
    {FORMAT_IMAGE, 1024, 4, "\x10\x20\xf5\xf2", false}, /* F2FS */
};

static bool
matches(struct bytes head, const struct signature *signature)
{
	return head.size >= (size_t)signature->at + signature->size &&
	    bytes_equal(bytes_make(head.data + signature->at, signature->size),
		bytes_make(signature->bytes, signature->size));
}

static bool
is_zero(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] != 0)
			return false;
	}
	return true;
}

/* PDF may begin a little later. Compound files are older documents of Office, or encrypted newer ones. */
static enum scan_format
format_of_document(struct bytes head)
{
	static const uint8_t package[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
	size_t most = head.size < 1024 ? head.size : 1024;

	for (size_t i = 0; i + 5 <= most; i++) {
		if (head.data[i] == '%' &&
		    bytes_equal(bytes_make(head.data + i, 5), bytes_of("%PDF-")))
			return FORMAT_PDF;
	}
	if (head.size >= 8 &&
	    bytes_equal(
		bytes_make(head.data, 8), bytes_make("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8))) {
		for (size_t i = 0; i + sizeof(package) <= head.size; i++) {
			if (head.data[i] == 'E' &&
			    bytes_equal(bytes_make(head.data + i, sizeof(package)),
				bytes_make(package, sizeof(package))))
				return FORMAT_ENCRYPTED;
		}
	}
	return FORMAT_BYTES;
}

enum scan_format
scan_format_of(struct bytes head, bool whole)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(signatures); i++) {
		if (matches(head, &signatures[i]))
			return signatures[i].format;
	}
	for (size_t i = 0; whole && i < AZ_ARRAY_SIZE(images); i++) {
		if (matches(head, &images[i]))
			return FORMAT_IMAGE;
	}
	/* An ISO begins with 16 sectors for others, mostly zeros; so does an image whose first blocks are unused. */
	if (whole && head.size == SCAN_HEAD_SIZE && is_zero(head.data, head.size))
		return FORMAT_IMAGE;
	return format_of_document(head);
}

enum scan_format
scan_format_in_image(const uint8_t *sector)
{
	/* Most sectors begin with none of these. */
	if (sector[0] != 'P' && sector[0] != 0x1f && sector[0] != 0xfd && sector[0] != 0x28 &&
	    sector[0] != '7' && sector[0] != 'S' && sector[0] != '%')
		return FORMAT_BYTES;
	for (size_t i = 0; i < AZ_ARRAY_SIZE(signatures); i++) {
		if (signatures[i].in_image && matches(bytes_make(sector, 32), &signatures[i]))
			return signatures[i].format;
	}
	return bytes_equal(bytes_make(sector, 5), bytes_of("%PDF-")) ? FORMAT_PDF : FORMAT_BYTES;
}
