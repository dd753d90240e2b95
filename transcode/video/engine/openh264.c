#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include <wels/codec_api.h>

typedef struct {
	ISVCEncoder *encoder;
	uint8_t *data;
	size_t room;
} h264_encoder;

static void h264_close(rg_encoder *e) {
	h264_encoder *h = e->state;
	if (h->encoder) {
		(*h->encoder)->Uninitialize(h->encoder);
		WelsDestroySVCEncoder(h->encoder);
	}
	free(h->data);
	free(h);
}

static int h264_change(rg_encoder *e) {
	h264_encoder *h = e->state;
	SBitrateInfo rate = {SPATIAL_LAYER_ALL, e->spec.bitrate};
	float fps = e->spec.fps / 100.0f;
	// The maximum first when the rate rises, last when it falls.
	SBitrateInfo most = {SPATIAL_LAYER_ALL, e->spec.bitrate + e->spec.bitrate / 4};
	(*h->encoder)->SetOption(h->encoder, ENCODER_OPTION_MAX_BITRATE, &most);
	int err = (*h->encoder)->SetOption(h->encoder, ENCODER_OPTION_BITRATE, &rate);
	(*h->encoder)->SetOption(h->encoder, ENCODER_OPTION_MAX_BITRATE, &most);
	err |= (*h->encoder)->SetOption(h->encoder, ENCODER_OPTION_FRAME_RATE, &fps);
	return err ? -1 : 0;
}

static int h264_encode(rg_encoder *e, const rg_picture *p, int64_t ms, int keyframe, rg_coded *out) {
	h264_encoder *h = e->state;
	if (keyframe) (*h->encoder)->ForceIntraFrame(h->encoder, true);
	SSourcePicture in;
	memset(&in, 0, sizeof in);
	in.iColorFormat = videoFormatI420;
	in.iPicWidth = p->width;
	in.iPicHeight = p->height;
	in.uiTimeStamp = ms;
	for (int i = 0; i < 3; i++) {
		in.pData[i] = p->plane[i];
		in.iStride[i] = p->stride[i];
	}
	SFrameBSInfo info;
	memset(&info, 0, sizeof info);
	if ((*h->encoder)->EncodeFrame(h->encoder, &in, &info)) return -1;
	if (info.eFrameType == videoFrameTypeSkip || info.eFrameType == videoFrameTypeInvalid) return 0;
	size_t size = 0;
	for (int i = 0; i < info.iLayerNum; i++) {
		SLayerBSInfo *layer = &info.sLayerInfo[i];
		size_t n = 0;
		for (int k = 0; k < layer->iNalCount; k++) n += layer->pNalLengthInByte[k];
		if (size + n > h->room) {
			uint8_t *grown = realloc(h->data, 2 * (size + n));
			if (!grown) return -1;
			h->data = grown;
			h->room = 2 * (size + n);
		}
		memcpy(h->data + size, layer->pBsBuf, n);
		size += n;
	}
	out->data = h->data;
	out->size = (int)size;
	out->keyframe = info.eFrameType == videoFrameTypeIDR;
	return 0;
}

int rg_openh264_open(rg_encoder *e) {
	h264_encoder *h = calloc(1, sizeof *h);
	if (!h) return -1;
	e->state = h;
	e->encode = h264_encode;
	e->change = h264_change;
	e->close = h264_close;
	SEncParamExt p;
	if (WelsCreateSVCEncoder(&h->encoder) || !h->encoder) goto failed;
	int silent = WELS_LOG_QUIET;
	(*h->encoder)->SetOption(h->encoder, ENCODER_OPTION_TRACE_LEVEL, &silent);
	(*h->encoder)->GetDefaultParams(h->encoder, &p);
	p.iUsageType = e->spec.text ? SCREEN_CONTENT_REAL_TIME : CAMERA_VIDEO_REAL_TIME;
	p.iPicWidth = e->spec.width;
	p.iPicHeight = e->spec.height;
	p.iTargetBitrate = e->spec.bitrate;
	p.iMaxBitrate = e->spec.bitrate + e->spec.bitrate / 4;
	p.iRCMode = RC_BITRATE_MODE;
	p.fMaxFrameRate = e->spec.fps / 100.0f;
	p.iTemporalLayerNum = 1;
	p.iSpatialLayerNum = 1;
	p.iComplexityMode = LOW_COMPLEXITY;
	p.uiIntraPeriod = 0; // on request
	p.iNumRefFrame = 1;
	p.eSpsPpsIdStrategy = CONSTANT_ID;
	p.bPrefixNalAddingCtrl = false;
	p.bEnableSSEI = false;
	p.iEntropyCodingModeFlag = 0;
	p.bEnableFrameSkip = true;
	p.iMultipleThreadIdc = 1;
	p.bEnableDenoise = false;
	p.bEnableBackgroundDetection = !e->spec.text;
	if (e->spec.text) { // rather fewer pictures than ones that cannot be read
		p.iMinQp = 24; // finer is not seen in letters, and costs the pictures that follow
		p.iMaxQp = 32;
	}
	p.bEnableAdaptiveQuant = false;
	p.bEnableSceneChangeDetect = false;
	p.bEnableLongTermReference = false;
	SSpatialLayerConfig *layer = &p.sSpatialLayers[0];
	layer->iVideoWidth = p.iPicWidth;
	layer->iVideoHeight = p.iPicHeight;
	layer->fFrameRate = p.fMaxFrameRate;
	layer->iSpatialBitrate = p.iTargetBitrate;
	layer->iMaxSpatialBitrate = p.iMaxBitrate;
	layer->uiProfileIdc = PRO_BASELINE;
	layer->uiLevelIdc = (ELevelIdc)e->spec.level;
	if (e->spec.max_unit > 0) {
		p.uiMaxNalSize = e->spec.max_unit;
		layer->sSliceArgument.uiSliceMode = SM_SIZELIMITED_SLICE;
		layer->sSliceArgument.uiSliceSizeConstraint = e->spec.max_unit;
	} else {
		layer->sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
	}
	if ((*h->encoder)->InitializeExt(h->encoder, &p) == 0) return 0;
failed:
	h264_close(e);
	return -1;
}
