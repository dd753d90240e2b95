// Pictures, and the coders between them and bytes. Every picture is I420 (8-bit
// 4:2:0). All functions return 0 or a positive value on success and a negative
// one on failure; none keeps a pointer it was given beyond the call unless that
// is said.
#ifndef ROOMGATE_PICTURE_H
#define ROOMGATE_PICTURE_H

#include <stddef.h>
#include <stdint.h>

// Codecs, as numbered on the wire.
enum {
	RG_H264 = 1,
	RG_VP8 = 2,
	RG_VP9 = 3,
	RG_AV1 = 4,
	RG_H263 = 5,
	RG_H261 = 6,
};

// rg_picture is a picture that somebody else holds the memory of.
typedef struct {
	uint8_t *plane[3];
	int stride[3];
	int width, height;
	int sar_num, sar_den; // shape of a pixel; 0 = not known
	void *owner;          // AVFrame of a decoder, or NULL
} rg_picture;

// Limits of what is decoded: 4096x2304, as level 5.1 of H.264 has it.
#define RG_MAX_PIXELS (4096 * 2304)
#define RG_MAX_SIDE 4096

// Decoder.
typedef struct rg_decoder rg_decoder;
rg_decoder *rg_decoder_open(int codec);
// rg_decoder_decode takes one coded frame; data must be followed by
// RG_PADDING zero bytes. It gives 1 and a picture, to be released with
// rg_picture_release; 0 when the decoder has none yet.
#define RG_PADDING 64
int rg_decoder_decode(rg_decoder *d, const uint8_t *data, int size, rg_picture *out);
void rg_decoder_flush(rg_decoder *d);
void rg_decoder_close(rg_decoder *d);
int rg_can_decode(int codec);
int rg_can_encode(int codec);
void rg_picture_release(rg_picture *p);

// Memory for composed pictures.
int rg_picture_alloc(rg_picture *p, int width, int height);
void rg_picture_free(rg_picture *p);
void rg_picture_fill(rg_picture *p, int x, int y, int w, int h, int yuv);
// rg_picture_draw scales a part of src into a rectangle of dst. All numbers are
// even, but for the size of src.
int rg_picture_draw(rg_picture *dst, int x, int y, int w, int h,
	const rg_picture *src, int sx, int sy, int sw, int sh);
// rg_picture_blend lays an I420 bitmap with an alpha plane over dst at x, y,
// which are even. data holds the planes Y, U, V, alpha without padding.
int rg_picture_blend(rg_picture *dst, int x, int y, const uint8_t *data, int w, int h);
// rg_picture_export copies the planes without padding into out.
void rg_picture_export(const rg_picture *src, uint8_t *out);
void rg_picture_import(rg_picture *dst, const uint8_t *in);

// Encoder.
typedef struct {
	int codec;
	int width, height;
	int bitrate;   // bit/s
	int fps;       // hundredths of a frame a second
	int max_unit;  // bytes of an H.264 slice or an H.263 piece; 0 = no limit
	int level;     // level_idc of H.264
	int text;      // what is coded is read
} rg_encoding;

typedef struct {
	const uint8_t *data; // valid until the next call
	int size;            // 0 = the encoder left the frame out
	int keyframe;
	const uint8_t *side; // macroblock positions of H.263, or NULL
	int side_size;
} rg_coded;

typedef struct rg_encoder rg_encoder;
rg_encoder *rg_encoder_open(const rg_encoding *e);
int rg_encoder_encode(rg_encoder *e, const rg_picture *p, int64_t ms, int keyframe, rg_coded *out);
int rg_encoder_change(rg_encoder *e, int bitrate, int fps);
void rg_encoder_close(rg_encoder *e);

// The encoders behind rg_encoder.
struct rg_encoder {
	rg_encoding spec;
	void *state;
	int (*encode)(rg_encoder *e, const rg_picture *p, int64_t ms, int keyframe, rg_coded *out);
	int (*change)(rg_encoder *e);
	void (*close)(rg_encoder *e);
};
int rg_openh264_open(rg_encoder *e);
int rg_vp8_open(rg_encoder *e);
int rg_avcodec_open(rg_encoder *e);

#endif
