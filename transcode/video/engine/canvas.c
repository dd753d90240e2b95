#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include <libyuv.h>

enum { align = 64 };

static int rounded(int n) { return (n + align - 1) & ~(align - 1); }

int rg_picture_alloc(rg_picture *p, int width, int height) {
	int stride = rounded(width), half = rounded(width / 2);
	size_t luma = (size_t)stride * height, chroma = (size_t)half * (height / 2);
	uint8_t *memory = aligned_alloc(align, rounded(luma + 2 * chroma + align));
	if (!memory) return -1;
	memset(p, 0, sizeof *p);
	p->plane[0] = memory;
	p->plane[1] = memory + luma;
	p->plane[2] = memory + luma + chroma;
	p->stride[0] = stride;
	p->stride[1] = p->stride[2] = half;
	p->width = width;
	p->height = height;
	p->sar_num = p->sar_den = 1;
	return 0;
}

void rg_picture_free(rg_picture *p) {
	free(p->plane[0]);
	memset(p, 0, sizeof *p);
}

void rg_picture_fill(rg_picture *p, int x, int y, int w, int h, int yuv) {
	I420Rect(p->plane[0], p->stride[0], p->plane[1], p->stride[1], p->plane[2], p->stride[2],
		x, y, w, h, yuv >> 16 & 255, yuv >> 8 & 255, yuv & 255);
}

// at points into a plane; chroma planes are half as wide and high.
static uint8_t *at(const rg_picture *p, int i, int x, int y) {
	int shift = i > 0;
	return p->plane[i] + (size_t)(y >> shift) * p->stride[i] + (x >> shift);
}

int rg_picture_draw(rg_picture *dst, int x, int y, int w, int h,
	const rg_picture *src, int sx, int sy, int sw, int sh) {
	if (sw == w && sh == h)
		return I420Copy(at(src, 0, sx, sy), src->stride[0], at(src, 1, sx, sy), src->stride[1],
			at(src, 2, sx, sy), src->stride[2], at(dst, 0, x, y), dst->stride[0],
			at(dst, 1, x, y), dst->stride[1], at(dst, 2, x, y), dst->stride[2], w, h);
	// Beyond half the size a bilinear filter leaves out lines, which flickers.
	enum FilterMode filter = sw > 2 * w || sh > 2 * h ? kFilterBox : kFilterBilinear;
	return I420Scale(at(src, 0, sx, sy), src->stride[0], at(src, 1, sx, sy), src->stride[1],
		at(src, 2, sx, sy), src->stride[2], sw, sh, at(dst, 0, x, y), dst->stride[0],
		at(dst, 1, x, y), dst->stride[1], at(dst, 2, x, y), dst->stride[2], w, h, filter);
}

int rg_picture_blend(rg_picture *dst, int x, int y, const uint8_t *data, int w, int h) {
	const uint8_t *u = data + (size_t)w * h, *v = u + (size_t)(w / 2) * (h / 2), *a = v + (size_t)(w / 2) * (h / 2);
	uint8_t *dy = at(dst, 0, x, y), *du = at(dst, 1, x, y), *dv = at(dst, 2, x, y);
	return I420Blend(data, w, u, w / 2, v, w / 2, dy, dst->stride[0], du, dst->stride[1], dv, dst->stride[2],
		a, w, dy, dst->stride[0], du, dst->stride[1], dv, dst->stride[2], w, h);
}

void rg_picture_export(const rg_picture *src, uint8_t *out) {
	for (int i = 0; i < 3; i++) {
		int w = i ? (src->width + 1) / 2 : src->width, h = i ? (src->height + 1) / 2 : src->height;
		CopyPlane(src->plane[i], src->stride[i], out, w, w, h);
		out += (size_t)w * h;
	}
}

void rg_picture_import(rg_picture *dst, const uint8_t *in) {
	for (int i = 0; i < 3; i++) {
		int w = i ? dst->width / 2 : dst->width, h = i ? dst->height / 2 : dst->height;
		CopyPlane(in, w, dst->plane[i], dst->stride[i], w, h);
		in += (size_t)w * h;
	}
}
