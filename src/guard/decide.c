/*
 * What may work.
 */
#include <stdio.h>
#include <string.h>

#include "guard/guard.h"

/* The grant for this very device that holds now; NULL: none. Of several, one that lets it be written. */
static const struct endpoint_grant *
find_grant(const struct usb_interface *interface, const struct guard_grants *grants, int64_t now_us)
{
	const struct endpoint_grant *found = NULL;
	char vendor[5], product[5];

	/* Without a serial, any other of its kind would pass for it. */
	if (grants == NULL || interface->serial[0] == '\0')
		return NULL;
	for (size_t i = 0; i < grants->count; i++) {
		const struct endpoint_grant *grant = &grants->items[i];

		(void)snprintf(vendor, sizeof(vendor), "%04x", grant->vendor);
		(void)snprintf(product, sizeof(product), "%04x", grant->product);
		if (grant->access != GRANT_READ && grant->access != GRANT_WRITE)
			continue;
		if (now_us < grant->until_us && strcmp(vendor, interface->vendor) == 0 &&
		    strcmp(product, interface->product) == 0 &&
		    strcmp(grant->serial, interface->serial) == 0)
			found = found == NULL || grant->access == GRANT_WRITE ? grant : found;
	}
	return found;
}

enum guard_verdict
guard_decide(const struct usb_interface *interface, const struct guard_grants *grants,
    int64_t now_us, uint32_t *ret_grant)
{
	const struct endpoint_grant *grant;

	*ret_grant = 0;
	switch (interface->interface_class) {
	case USB_CLASS_AUDIO:
	case USB_CLASS_HID:
	case USB_CLASS_HUB:
	case USB_CLASS_SMART_CARD: return GUARD_ALLOW;
	case USB_CLASS_STORAGE:
		grant = find_grant(interface, grants, now_us);
		if (grant == NULL)
			return GUARD_REFUSE;
		*ret_grant = grant->id;
		return grant->access == GRANT_WRITE ? GUARD_WRITE
		    : grant->access == GRANT_READ   ? GUARD_READ
						    : GUARD_REFUSE;
	default: return GUARD_REFUSE;
	}
}

const char *
usb_class_name(uint8_t interface_class, char text[16])
{
	switch (interface_class) {
	case USB_CLASS_AUDIO: return "audio";
	case USB_CLASS_HID: return "input";
	case USB_CLASS_IMAGE: return "still image";
	case USB_CLASS_STORAGE: return "mass storage";
	case USB_CLASS_HUB: return "hub";
	case USB_CLASS_SMART_CARD: return "smart card";
	case USB_CLASS_VENDOR: return "vendor's own";
	default: (void)snprintf(text, 16, "class %02x", interface_class); return text;
	}
}
