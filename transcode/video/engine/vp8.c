#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

typedef struct {
	vpx_codec_ctx_t codec;
	vpx_codec_enc_cfg_t config;
	int64_t last;
	int open;
} vp8_encoder;

static void vp8_close(rg_encoder *e) {
	vp8_encoder *v = e->state;
	if (v->open) vpx_codec_destroy(&v->codec);
	free(v);
}

static int vp8_change(rg_encoder *e) {
	vp8_encoder *v = e->state;
	v->config.rc_target_bitrate = e->spec.bitrate / 1000;
	return vpx_codec_enc_config_set(&v->codec, &v->config) ? -1 : 0;
}

static int vp8_encode(rg_encoder *e, const rg_picture *p, int64_t ms, int keyframe, rg_coded *out) {
	vp8_encoder *v = e->state;
	vpx_image_t image;
	memset(&image, 0, sizeof image);
	image.fmt = VPX_IMG_FMT_I420;
	image.w = image.d_w = p->width;
	image.h = image.d_h = p->height;
	image.x_chroma_shift = image.y_chroma_shift = 1;
	image.bps = 12;
	for (int i = 0; i < 3; i++) {
		image.planes[i] = p->plane[i];
		image.stride[i] = p->stride[i];
	}
	if (ms <= v->last) ms = v->last + 1;
	unsigned long duration = v->last >= 0 ? (unsigned long)(ms - v->last) : 100000ul / e->spec.fps;
	if (duration > 1000) duration = 1000;
	v->last = ms;
	if (vpx_codec_encode(&v->codec, &image, ms, duration, keyframe ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME)) return -1;
	vpx_codec_iter_t at = NULL;
	const vpx_codec_cx_pkt_t *packet;
	while ((packet = vpx_codec_get_cx_data(&v->codec, &at))) {
		if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
		out->data = packet->data.frame.buf;
		out->size = (int)packet->data.frame.sz;
		out->keyframe = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
	}
	return 0;
}

int rg_vp8_open(rg_encoder *e) {
	vp8_encoder *v = calloc(1, sizeof *v);
	if (!v) return -1;
	e->state = v;
	e->encode = vp8_encode;
	e->change = vp8_change;
	e->close = vp8_close;
	v->last = -1;
	vpx_codec_enc_cfg_t *c = &v->config;
	if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), c, 0)) goto failed;
	c->g_w = e->spec.width;
	c->g_h = e->spec.height;
	c->g_timebase.num = 1;
	c->g_timebase.den = 1000;
	c->g_threads = 1;
	c->g_lag_in_frames = 0;
	c->g_error_resilient = VPX_ERROR_RESILIENT_DEFAULT;
	c->rc_end_usage = VPX_CBR;
	c->rc_target_bitrate = e->spec.bitrate / 1000;
	c->rc_min_quantizer = 2;
	c->rc_max_quantizer = 56;
	c->rc_undershoot_pct = 100;
	c->rc_overshoot_pct = 15;
	c->rc_buf_initial_sz = 500;
	c->rc_buf_optimal_sz = 600;
	c->rc_buf_sz = 1000;
	c->rc_dropframe_thresh = 30;
	c->kf_mode = VPX_KF_DISABLED; // on request
	if (vpx_codec_enc_init(&v->codec, vpx_codec_vp8_cx(), c, 0)) goto failed;
	v->open = 1;
	vpx_codec_control(&v->codec, VP8E_SET_CPUUSED, -8);
	vpx_codec_control(&v->codec, VP8E_SET_STATIC_THRESHOLD, 1);
	vpx_codec_control(&v->codec, VP8E_SET_NOISE_SENSITIVITY, 0);
	vpx_codec_control(&v->codec, VP8E_SET_SCREEN_CONTENT_MODE, e->spec.text);
	vpx_codec_control(&v->codec, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION);
	vpx_codec_control(&v->codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, 450);
	return 0;
failed:
	vp8_close(e);
	return -1;
}
