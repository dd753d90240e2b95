-- FECC reads the control of cameras for tshark, which knows H.224 from version 4.2 on only:
-- frames of H.224 in RTP (RFC 4573, H.323 Annex Q), client management (H.224 clause 9) and
-- commands (H.281). Whatever the standards do not allow is marked as malformed.

local fecc = Proto("fecc", "H.224 frame with H.281")
local f = {
  address = ProtoField.uint16("fecc.address", "Address of Q.922", base.HEX),
  control = ProtoField.uint8("fecc.control", "Control", base.HEX),
  destination = ProtoField.uint16("fecc.destination", "Destination", base.HEX),
  source = ProtoField.uint16("fecc.source", "Source", base.HEX),
  client = ProtoField.uint8("fecc.client", "Client", base.DEC, { [0] = "management", [1] = "H.281" }, 0x7f),
  segments = ProtoField.uint8("fecc.segments", "Segmentation", base.HEX),
  management = ProtoField.uint8("fecc.management", "Management", base.DEC, { "client list", "extra capabilities" }),
  command = ProtoField.uint8("fecc.command", "Command", base.DEC,
    { "start", "continue", "stop", "select source", "source switched", "store preset", "activate preset" }),
  motion = ProtoField.uint8("fecc.motion", "Pan, tilt, zoom, focus", base.HEX),
  timeout = ProtoField.uint8("fecc.timeout", "Timeout of 50 ms", base.DEC, nil, 0x0f),
  number = ProtoField.uint8("fecc.number", "Number", base.DEC, nil, 0xf0),
}
fecc.fields = f
local bad = ProtoExpert.new("fecc.bad", "Not as the standard says", expert.group.MALFORMED, expert.severity.ERROR)
fecc.experts = { bad }

-- of a command: how many octets it has after the first.
local lengths = { 2, 1, 1, 1, 1, 1, 1 }

local function management(data, tree, wrong)
  if data:len() < 2 then return wrong("management of one octet") end
  tree:add(f.management, data(0, 1))
  local kind, code, n = data(0, 1):uint(), data(1, 1):uint(), data:len()
  if code ~= 0x00 and code ~= 0xff then
    wrong("neither a message nor a request")
  elseif kind == 1 and (code == 0xff and n ~= 2 or code == 0x00 and (n < 3 or n ~= 3 + data(2, 1):uint())) then
    wrong("a client list of another length")
  elseif kind == 2 and code == 0xff and n ~= 3 then
    wrong("a request for capabilities of another length")
  elseif kind == 2 and code == 0x00 and (n < 6 or n % 2 ~= 0 or data(3, 1):uint() > 0x0f) then
    wrong("capabilities of H.281: a count of presets and two octets for each source")
  elseif kind ~= 1 and kind ~= 2 then
    wrong("neither client list nor capabilities")
  end
end

local function command(data, tree, wrong)
  if data:len() < 2 then return wrong("a command of one octet") end
  local kind = data(0, 1):uint()
  tree:add(f.command, data(0, 1))
  if not lengths[kind] or data:len() ~= 1 + lengths[kind] then return wrong("no command, or of another length") end
  if kind <= 3 then
    tree:add(f.motion, data(1, 1))
    for shift = 0, 6, 2 do
      local axis = math.floor(data(1, 1):uint() / 2 ^ shift) % 4
      if axis == 1 then wrong("a direction without its bit of action") end
    end
    if data(1, 1):uint() == 0 then wrong("a motion on no axis") end
  else
    tree:add(f.number, data(1, 1))
    if kind >= 5 and data(1, 1):uint() % 16 ~= 0 then wrong("reserved bits are set") end
  end
  if kind == 1 then
    tree:add(f.timeout, data(2, 1))
    if data(2, 1):uint() > 0x0f then wrong("reserved bits are set") end
  end
end

function fecc.dissector(data, pinfo, root)
  local tree = root:add(fecc, data())
  local function wrong(text) tree:add_proto_expert_info(bad, text) end
  pinfo.cols.protocol = "FECC"
  if data:len() < 10 then return wrong("shorter than a frame") end
  tree:add(f.address, data(0, 2))
  tree:add(f.control, data(2, 1))
  tree:add(f.destination, data(3, 2))
  tree:add(f.source, data(5, 2))
  tree:add(f.client, data(7, 1))
  tree:add(f.segments, data(8, 1))
  local address, client = data(0, 2):uint(), data(7, 1):uint()
  if address ~= 0x0061 and address ~= 0x0071 then wrong("neither DLCI 6 nor 7") end
  if data(2, 1):uint() ~= 0x03 then wrong("no unnumbered information") end
  if data(8, 1):uint() ~= 0xc0 then wrong("not from beginning to end, or reserved bits") end
  if client == 0 then
    management(data(9):tvb(), tree, wrong)
  elseif client == 1 then
    command(data(9):tvb(), tree, wrong)
  else
    wrong("another client than there are")
  end
end

DissectorTable.get("rtp.pt"):add_for_decode_as(fecc)
DissectorTable.get("rtp_dyn_payload_type"):add("H224", fecc)
