#include "picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <libyuv.h>

_Static_assert(RG_PADDING >= AV_INPUT_BUFFER_PADDING_SIZE, "padding");

struct rg_decoder {
	AVCodecContext *context;
	AVPacket *packet;
	AVFrame *frame;
};

static const AVCodec *decoder_of(int codec) {
	switch (codec) {
	case RG_H264: return avcodec_find_decoder(AV_CODEC_ID_H264);
	case RG_VP8: return avcodec_find_decoder_by_name("vp8");
	case RG_VP9: return avcodec_find_decoder_by_name("vp9");
	case RG_AV1: return avcodec_find_decoder_by_name("libdav1d");
	case RG_H263: return avcodec_find_decoder(AV_CODEC_ID_H263);
	case RG_H261: return avcodec_find_decoder(AV_CODEC_ID_H261);
	}
	return NULL;
}

int rg_can_decode(int codec) { return decoder_of(codec) != NULL; }

rg_decoder *rg_decoder_open(int codec) {
	const AVCodec *c = decoder_of(codec);
	rg_decoder *d = c ? calloc(1, sizeof *d) : NULL;
	if (!d) return NULL;
	av_log_set_level(AV_LOG_QUIET); // strangers decide what would be in it
	d->context = avcodec_alloc_context3(c);
	d->packet = av_packet_alloc();
	d->frame = av_frame_alloc();
	if (d->context && d->packet && d->frame) {
		d->context->thread_count = 1;
		d->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
		d->context->flags2 |= AV_CODEC_FLAG2_FAST;
		d->context->max_pixels = RG_MAX_PIXELS;
		AVDictionary *options = NULL;
		if (codec == RG_AV1) {
			av_dict_set(&options, "framethreads", "1", 0);
			av_dict_set(&options, "tilethreads", "1", 0);
		}
		int failed = avcodec_open2(d->context, c, &options);
		av_dict_free(&options);
		if (!failed) return d;
	}
	rg_decoder_close(d);
	return NULL;
}

void rg_decoder_flush(rg_decoder *d) { avcodec_flush_buffers(d->context); }

void rg_decoder_close(rg_decoder *d) {
	if (!d) return;
	av_frame_free(&d->frame);
	av_packet_free(&d->packet);
	avcodec_free_context(&d->context);
	free(d);
}

// planar makes an I420 frame of one in another format, or NULL.
static AVFrame *planar(const AVFrame *in) {
	AVFrame *out = av_frame_alloc();
	if (!out) return NULL;
	out->format = AV_PIX_FMT_YUV420P;
	out->width = in->width;
	out->height = in->height;
	out->sample_aspect_ratio = in->sample_aspect_ratio;
	if (av_frame_get_buffer(out, 0) < 0) {
		av_frame_free(&out);
		return NULL;
	}
	int w = in->width, h = in->height, err = -1;
#define TO out->data[0], out->linesize[0], out->data[1], out->linesize[1], out->data[2], out->linesize[2], w, h
#define FROM in->data[0], in->linesize[0], in->data[1], in->linesize[1], in->data[2], in->linesize[2]
#define FROM16 (const uint16_t *)in->data[0], in->linesize[0] / 2, (const uint16_t *)in->data[1], in->linesize[1] / 2, \
	(const uint16_t *)in->data[2], in->linesize[2] / 2
	switch (in->format) {
	case AV_PIX_FMT_YUV422P:
	case AV_PIX_FMT_YUVJ422P: err = I422ToI420(FROM, TO); break;
	case AV_PIX_FMT_YUV444P:
	case AV_PIX_FMT_YUVJ444P: err = I444ToI420(FROM, TO); break;
	case AV_PIX_FMT_YUV420P10LE: err = I010ToI420(FROM16, TO); break;
	case AV_PIX_FMT_GRAY8: err = I400ToI420(in->data[0], in->linesize[0], TO); break;
	}
	if (err) av_frame_free(&out);
	return out;
}

int rg_decoder_decode(rg_decoder *d, const uint8_t *data, int size, rg_picture *out) {
	d->packet->data = (uint8_t *)data;
	d->packet->size = size;
	int err = avcodec_send_packet(d->context, d->packet);
	d->packet->data = NULL;
	d->packet->size = 0;
	if (err < 0 && err != AVERROR(EAGAIN)) return -1;
	// Of several pictures (layers of VP9) the last one is shown.
	AVFrame *last = NULL;
	while ((err = avcodec_receive_frame(d->context, d->frame)) >= 0) {
		AVFrame *f;
		if (d->frame->format == AV_PIX_FMT_YUV420P || d->frame->format == AV_PIX_FMT_YUVJ420P)
			f = av_frame_clone(d->frame);
		else
			f = planar(d->frame);
		av_frame_unref(d->frame);
		if (!f) {
			err = AVERROR(ENOSYS);
			break;
		}
		av_frame_free(&last);
		last = f;
	}
	if (!last) return err == AVERROR(EAGAIN) ? 0 : -1;
	if (last->width > RG_MAX_SIDE || last->height > RG_MAX_SIDE) {
		av_frame_free(&last);
		return -1;
	}
	for (int i = 0; i < 3; i++) {
		out->plane[i] = last->data[i];
		out->stride[i] = last->linesize[i];
	}
	out->width = last->width;
	out->height = last->height;
	out->sar_num = last->sample_aspect_ratio.num;
	out->sar_den = last->sample_aspect_ratio.den;
	out->owner = last;
	return 1;
}

void rg_picture_release(rg_picture *p) {
	AVFrame *f = p->owner;
	av_frame_free(&f);
	memset(p, 0, sizeof *p);
}
