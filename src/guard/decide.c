/*
 * What may work.
 */
#include <stdio.h>

#include "guard/guard.h"

enum guard_verdict
guard_decide(const struct usb_interface *interface)
{
	switch (interface->interface_class) {
	case USB_CLASS_AUDIO:
	case USB_CLASS_HID:
	case USB_CLASS_HUB:
	case USB_CLASS_SMART_CARD: return GUARD_ALLOW;
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
