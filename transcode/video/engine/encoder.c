#include "picture.h"

#include <stdlib.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>

int rg_can_encode(int codec) {
	switch (codec) {
	case RG_H264:
	case RG_VP8: return 1;
	case RG_H263: return avcodec_find_encoder(AV_CODEC_ID_H263) != NULL;
	case RG_H261: return avcodec_find_encoder(AV_CODEC_ID_H261) != NULL;
	}
	return 0;
}

rg_encoder *rg_encoder_open(const rg_encoding *spec) {
	rg_encoder *e = calloc(1, sizeof *e);
	if (!e) return NULL;
	e->spec = *spec;
	int err = -1;
	switch (spec->codec) {
	case RG_H264: err = rg_openh264_open(e); break;
	case RG_VP8: err = rg_vp8_open(e); break;
	case RG_H263:
	case RG_H261: err = rg_avcodec_open(e); break;
	}
	if (err) {
		free(e);
		return NULL;
	}
	return e;
}

int rg_encoder_encode(rg_encoder *e, const rg_picture *p, int64_t ms, int keyframe, rg_coded *out) {
	*out = (rg_coded){0};
	if (p->width != e->spec.width || p->height != e->spec.height) return -1;
	return e->encode(e, p, ms, keyframe, out);
}

int rg_encoder_change(rg_encoder *e, int bitrate, int fps) {
	e->spec.bitrate = bitrate;
	e->spec.fps = fps;
	return e->change(e);
}

void rg_encoder_close(rg_encoder *e) {
	if (!e) return;
	e->close(e);
	free(e);
}

// H.263 and H.261 by libavcodec.

typedef struct {
	AVCodecContext *context;
	AVFrame *frame;
	AVPacket *packet;
	int64_t last;
} av_encoder;

static void av_close(rg_encoder *e) {
	av_encoder *a = e->state;
	av_packet_free(&a->packet);
	if (a->frame) {
		for (int i = 0; i < 3; i++) a->frame->data[i] = NULL; // never ours
		av_frame_free(&a->frame);
	}
	avcodec_free_context(&a->context);
	free(a);
}

static int av_encode(rg_encoder *e, const rg_picture *p, int64_t ms, int keyframe, rg_coded *out) {
	av_encoder *a = e->state;
	av_packet_unref(a->packet);
	AVFrame *f = a->frame;
	for (int i = 0; i < 3; i++) {
		f->data[i] = p->plane[i];
		f->linesize[i] = p->stride[i];
	}
	// TR counts pictures of 29.97 Hz; two in a row must not share one.
	int64_t pts = ms * 30000 / 1001 / 1000;
	if (pts <= a->last) pts = a->last + 1;
	a->last = f->pts = pts;
	f->pict_type = keyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
	if (avcodec_send_frame(a->context, f) < 0) return -1;
	int err = avcodec_receive_packet(a->context, a->packet);
	if (err == AVERROR(EAGAIN)) return 0;
	if (err < 0) return -1;
	out->data = a->packet->data;
	out->size = a->packet->size;
	out->keyframe = (a->packet->flags & AV_PKT_FLAG_KEY) != 0;
	size_t n = 0;
	out->side = av_packet_get_side_data(a->packet, AV_PKT_DATA_H263_MB_INFO, &n);
	out->side_size = (int)n;
	return 0;
}

// av_configure opens the codec with the rate of the spec.
static int av_configure(rg_encoder *e) {
	av_encoder *a = e->state;
	const AVCodec *codec = avcodec_find_encoder(e->spec.codec == RG_H263 ? AV_CODEC_ID_H263 : AV_CODEC_ID_H261);
	AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
	if (!c) return -1;
	c->width = e->spec.width;
	c->height = e->spec.height;
	c->pix_fmt = AV_PIX_FMT_YUV420P;
	c->sample_aspect_ratio = (AVRational){12, 11};
	c->time_base = (AVRational){1001, 30000};
	c->thread_count = 1;
	c->gop_size = 600;
	c->max_b_frames = 0;
	c->mb_decision = FF_MB_DECISION_SIMPLE;
	c->qmin = 2;
	c->qmax = 31;
	// The rate control counts on 29.97 pictures a second, and goes beyond what
	// it is told by a tenth and more.
	c->bit_rate = (int64_t)e->spec.bitrate * 9 / 10 * 3000000 / 1001 / e->spec.fps;
	c->rc_max_rate = c->bit_rate;
	c->rc_buffer_size = (int)c->bit_rate;
	if (e->spec.codec == RG_H263 && e->spec.max_unit > 0) {
		av_opt_set_int(c->priv_data, "ps", e->spec.max_unit, 0);
		av_opt_set_int(c->priv_data, "mb_info", e->spec.max_unit, 0);
	}
	if (avcodec_open2(c, codec, NULL)) {
		avcodec_free_context(&c);
		return -1;
	}
	avcodec_free_context(&a->context);
	a->context = c;
	return 0;
}

int rg_avcodec_open(rg_encoder *e) {
	av_encoder *a = calloc(1, sizeof *a);
	if (!a) return -1;
	e->state = a;
	e->encode = av_encode;
	e->change = av_configure; // libavcodec reads the rate once
	e->close = av_close;
	av_log_set_level(AV_LOG_QUIET);
	a->packet = av_packet_alloc();
	a->frame = av_frame_alloc();
	a->last = -1;
	if (a->packet && a->frame && av_configure(e) == 0) {
		a->frame->width = e->spec.width;
		a->frame->height = e->spec.height;
		a->frame->format = AV_PIX_FMT_YUV420P;
		return 0;
	}
	av_close(e);
	return -1;
}
